"""Sixty texts of many kinds: questions, prose, code, tables, lists, languages, noise; up to some 200 word pieces."""

SHORT = [
    "a",
    "?",
    "churn",
    "1998",
    "How do I add my own documents?",
    "Who wrote it?",
    "and in 2020?",
    "What did the 2019 report say about churn?",
    "error E0432 unresolved import",
    "laminar boundary layer transition at hypersonic speed",
    "IS THE EARTH ROUND",
    "résumé naïve café Ångström",
    "https://example.org/docs/index.html?page=2&lang=en#top",
    "support@example.org",
    "+1 (555) 010-9999",
    "¿Cómo restauro una copia de seguridad?",
    "Wie lange dauert die Lieferung?",
    "Quel est le prix de l'abonnement annuel ?",
    "データベースを復元する方法",
    "как восстановить резервную копию",
]
PROSE = [
    "The boundary layer thickens along the plate until it becomes turbulent, and the friction rises sharply there.",
    "In March the company moved its headquarters from Lyon to Grenoble, where rents were lower.",
    "Aspirin inhibits cyclooxygenase and thereby the synthesis of prostaglandins and thromboxanes.",
    "If the tenant does not pay within thirty days after notice, the landlord may end the agreement.",
    "She put the kettle on, looked out at the rain, and decided that the letter could wait another day.",
    "Refunds are given within 14 days of delivery; after that, a voucher of the same value is issued.",
    "The mitochondrial membrane potential drives protons through ATP synthase, which turns like a motor.",
    "Heavy snow closed the pass in the night, and the trucks waited in a line down to the village.",
    "Set the retention to ninety days, restart the service and check that old segments are removed.",
    "Quarterly revenue grew 12.4 % to EUR 3.17 billion, while the operating margin fell to 8.9 %.",
    "def mean(values):\n    return sum(values) / len(values)\n\n\nclass Sensor:\n    def read(self): ...",
    "SELECT name, COUNT(*) FROM orders WHERE year >= 2021 GROUP BY name HAVING COUNT(*) > 3 ORDER BY 2 DESC;",
    "| part | price | stock |\n|---|---:|---:|\n| bolt M6 | 0.12 | 4,200 |\n| nut M6 | 0.08 | 3,900 |",
    "- preheat the oven\n- sift flour, salt and cocoa\n- fold in the egg whites\n- bake for 35 minutes",
    "E = mc^2; a^2 + b^2 = c^2; the integral of exp(-x^2) over the real line is the square root of pi.",
    "2024-02-29T12:30:15Z WARN pool exhausted: 64/64 connections busy, 17 waiting, oldest 30.2 s",
    "Die Donaudampfschifffahrtsgesellschaft wurde 1829 gegründet und bestand bis in das Jahr 1991.",
    "La fotosíntesis convierte la luz en energía química y libera oxígeno como subproducto.",
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore",
    "qzx vvk jjq wpl 0x7fff5fbff8a0 ~~~ ### @@@ !!! ;;; zzxy",
]
LONG = [" ".join(PROSE[place : place + size]) for size in (2, 4) for place in range(0, 20, 2)]
TEXTS = SHORT + PROSE + LONG
assert len(TEXTS) == 60
