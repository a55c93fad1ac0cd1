"""The English words the answerer knows something about. Data only; words are lower case, stems are made in `words`."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that say nothing about the topic. Question words are handled in `question`.
FUNCTION_WORDS = _words(
    """
    a about above after again against ago all almost along already also although always am among an and another any
    anybody anyone anything are aren't around as at away be became because been before being below between both but by
    can can't cannot could couldn't did didn't do does doesn't doing don't down during each either else enough
    etc even ever every everything few for from further get gets getting go goes going gonna got had hadn't happen
    happened happens has hasn't have haven't having he he'd he'll he's hello her here here's hers herself hey hi him
    himself his how how's however i i'd i'll i'm i've if in indeed instead into is isn't it it's its itself just kind
    let lets like lot lots many may maybe me might mine more most much must my myself need needs neither no nor not now
    of off often on once one's only onto or other others ought our ours ourselves out over own per perhaps please quite
    rather really regarding same say says said saying see seem seems shall shan't she she'd she'll she's should
    shouldn't since so some somebody someone something sort still such tell tells than thank thanks that that's the
    their theirs them themselves then there there's these they they'd they'll they're they've thing things this those
    though through thus to together too toward towards under until unto up upon us using very via want wanted wants was
    wasn't way we we'd we'll we're we've well were weren't what what's when when's where where's whether which while who
    who's whom whose why why's will with within without won't would wouldn't yes yet you you'd you'll you're you've your
    yours yourself yourselves explain describe give find show mention mentioned mentions according exactly anyway
    """
)

# Verbs and nouns so general that an answer rarely repeats them.
LIGHT_WORDS = _words(
    """
    use used uses make makes made take takes taken work works include includes included contain contains need require
    look come run become cause call called help allow allowed kind type case number amount value information detail
    details person people thing happen mean means work know
    done important exist exists available consist consists belong belongs stand stands
    """
)

# A sentence that begins with one of these leans on the sentence before it.
LEANING = _words(
    """
    it its they their them he his him she her this that these those such both neither either others
    however therefore thus hence but and or so also then moreover furthermore instead otherwise similarly consequently
    nevertheless additionally likewise still yet there
    """
)

# Words that often begin a sentence: after an ambiguous abbreviation they decide that one ended.
STARTERS = _words(
    """
    the this that these those it its he she they we you i a an in on at by for from to if when while after before as
    since but and or so then there here however although because once during his her their our your all some most many
    each every no not what who where why how
    """
)

# An abbreviation never ends a sentence (titles and what stands before a number or a name) ...
NEVER_LAST = _words(
    "mr mrs ms mx dr prof hon rev gen col sgt capt lt sen rep gov st mt no nos fig figs eq eqs sec secs ch vol vols ed "
    "eds p pp art para cf vs v viz e.g i.e approx ca c incl excl resp ref refs tab tel ext fr sr"
)
# ... or may end one, which the next word decides.
MAYBE_LAST = _words(
    "etc inc ltd co corp llc plc gmbh bros jr sr dept univ assn est al a.m p.m u.s u.k u.n e.u ph.d m.d b.c a.d jan "
    "feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun "
    "min max hr hrs sq ft"
)

IRREGULAR = {
    form: lemma
    for lemma, forms in {
        "begin": "began begun", "become": "became", "break": "broke broken", "bring": "brought", "build": "built",
        "buy": "bought", "catch": "caught", "choose": "chose chosen", "come": "came", "cut": "cutting",
        "draw": "drew drawn", "drive": "drove driven", "eat": "ate eaten", "fall": "fell fallen", "feel": "felt",
        "find": "found", "fly": "flew flown", "forbid": "forbade forbidden", "forget": "forgot forgotten",
        "freeze": "froze frozen", "give": "gave given", "grow": "grew grown growth", "hold": "held", "keep": "kept",
        "know": "knew known", "lead": "led", "leave": "left leaving", "lend": "lent", "lose": "lost loss",
        "make": "made", "mean": "meant", "meet": "met", "pay": "paid unpaid", "rise": "rose risen", "run": "ran",
        "sell": "sold sale", "send": "sent", "shrink": "shrank shrunk", "sit": "sat", "speak": "spoke spoken",
        "spend": "spent", "stand": "stood", "steal": "stole stolen", "swim": "swam", "take": "took taken",
        "teach": "taught", "think": "thought", "throw": "threw thrown", "wear": "wore worn", "win": "won",
        "write": "wrote written", "child": "children", "foot": "feet", "man": "men", "mouse": "mice",
        "person": "people", "tooth": "teeth", "woman": "women", "die": "died dead death", "choice": "choices",
        "decide": "decision decisions", "approve": "approval", "long": "length", "high": "height", "wide": "width",
        "heavy": "weight weigh weighs weighed", "deep": "depth", "hot": "heat", "store": "storage", "refuse": "refusal",
        "arrive": "arrival", "propose": "proposal", "renew": "renewal", "remove": "removal", "analyse": "analysis",
        "maintain": "maintenance", "explain": "explanation", "apply": "application", "deploy": "deployment",
    }.items()
    for form in forms.split()
}  # fmt: skip

# Words near enough in meaning that one may stand for the other in an answer. Near, not equal: a match through a group
# counts less than the word itself.
NEAR = tuple(
    frozenset(group.split())
    for group in (
        "error fail failure crash broken exception problem fault failed",
        "cost price fee charge expense",
        "pay salary wage compensation payment",
        "buy purchase acquire",
        "begin start launch open commence",
        "founded founder established creation",
        "end finish complete stop terminate close",
        "employee staff worker personnel workforce headcount",
        "customer client subscriber",
        "churn attrition cancel leave lose",
        "holiday vacation leave",
        "delete remove erase clear",
        "add import insert upload",
        "create make build generate produce",
        "change modify edit update adjust alter",
        "fix repair mend resolve solve",
        "show display list view see exhibit",
        "car vehicle automobile",
        "write author compose",
        "place locate location situated site",
        "boss manager head leader chief director lead",
        "increase rise grow climb",
        "decrease fall drop decline reduce shrink",
        "allow permit may permitted",
        "forbid prohibit ban disallow",
        "require need necessary must mandatory",
        "receive get obtain",
        "quit resign depart leave",
        "hire recruit join employ",
        "dismiss fire",
        "revenue turnover income",
        "profit earning",
        "company firm business organisation organization enterprise",
        "big large",
        "small little tiny",
        "fast quick rapid speed",
        "child kid",
        "doctor physician",
        "home house remote",
        "ill sick sickness illness disease",
        "install set setup",
        "configure setting configuration set option",
        "run execute launch",
        "return answer respond response give",
        "parameter argument option",
        "limit maximum cap most",
        "minimum least",
        "reset restore",
        "warranty guarantee",
        "send mail post ship deliver",
        "attend present participant attendee",
        "decide agree choose resolve",
        "responsible owner charge assign",
        "deadline due date",
        "supervise oversee manage",
        "clean wash rinse",
        "attach connect plug fit",
        "bake cook oven",
        "name call title term know",
        "kill die",
        "inhabitant population resident",
        "invent design develop",
        "live reside",
        "born birth",
        "happen occur place",
        "help support assist",
        "password credential",
        "accident crash collision",
        "advantage benefit",
        "aim goal objective purpose",
        "agreement contract",
        "app application program software",
        "beginning start",
        "discover identify isolate find",
        "late delay",
        "poisonous toxic poison",
        "opposite antonym contrary",
        "recommend suggest advise",
        "spread propagate",
        "abbreviation acronym stand",
        "rename change",
        "cancel annul",
        "cause reason",
        "cheap inexpensive",
        "choose select pick",
        "city town",
        "contain include comprise consist",
        "copy duplicate",
        "correct right",
        "country nation",
        "cure treat treatment heal",
        "damage defect harm",
        "danger hazard risk",
        "date day",
        "defer delay postpone",
        "demonstrate show reveal indicate",
        "die dead",
        "difficult hard",
        "disadvantage drawback",
        "discount reduction rebate",
        "disease illness",
        "drug medicine medication",
        "eat feed food diet",
        "email mail",
        "enough sufficient",
        "entire whole",
        "exam test trial experiment",
        "exchange swap",
        "expire end",
        "extend renew",
        "film movie",
        "first initial",
        "final last",
        "free gratis",
        "guest visitor",
        "image photo picture",
        "investigate study research",
        "issue problem difficulty",
        "job position role",
        "journey trip travel",
        "job occupation profession",
        "keep store save retain",
        "king monarch ruler",
        "landlord owner proprietor",
        "law act statute",
        "lawyer attorney",
        "main primary chief",
        "method approach technique procedure",
        "money fund cash",
        "move relocate transfer",
        "old age",
        "pain ache",
        "phone telephone",
        "policy rule regulation",
        "readable read",
        "recent new",
        "replace substitute",
        "result outcome effect",
        "road street",
        "safe secure security",
        "shop store",
        "site page website",
        "speed fast",
        "student pupil",
        "teacher instructor",
        "tenant renter",
        "tall high height",
        "timetable schedule",
        "train teach",
        "wrong incorrect false",
        "document file",
    )
)

NUMBERS = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14",
    "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20",
    "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
}  # fmt: skip
QUANTIFIERS = _words(
    "hundred hundreds thousand thousands million millions billion billions dozen half third quarter twice once double "
    "triple none no"
)
MONTHS = _words(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sep sept oct nov dec"
)
DAYS = _words(
    "monday tuesday wednesday thursday friday saturday sunday today yesterday tomorrow midnight noon weekday weekend "
    "morning afternoon evening spring summer autumn winter easter christmas"
)
DURATIONS = _words(
    "second seconds minute minutes min mins hour hours day days week weeks fortnight month months year years decade "
    "decades century centuries ms overnight"
)
