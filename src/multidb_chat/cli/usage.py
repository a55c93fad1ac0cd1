"""`multidb-chat usage` and `multidb-chat stats`: what is left of the plan, and what was done with it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from multidb_chat.cli.console import Console, Exit, Styled
from multidb_chat.cli.options import Json
from multidb_chat.cli.session import session_of
from multidb_chat.services.wording import counted

if TYPE_CHECKING:
    from multidb_chat.bootstrap import Application
    from multidb_chat.domain.plans import Standing, Usage
    from multidb_chat.domain.statistics import Figures

_BAR = 24


def usage(context: typer.Context, as_json: Json = False) -> None:
    """Show what is used and left of the plan, and when it begins anew."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        standing = await application.plans.usage_of(application.account)
        if as_json:
            session.console.write_json(standing_record(standing))
        else:
            _write_standing(session.console, standing)
        return Exit.DONE

    session.run(work)


def stats(
    context: typer.Context,
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, max=365, help="Of the last N days.")] = 30,
    as_json: Json = False,
) -> None:
    """Show one's own questions, answers from the cache, times, documents and feedback."""
    session = session_of(context)

    async def work(application: "Application") -> Exit:
        figures = await application.statistics.of(application.account, days)
        if as_json:
            session.console.write_json(figures_record(figures))
        else:
            write_figures(session.console, figures)
        return Exit.DONE

    session.run(work)


async def warn_of_quota(console: Console, application: "Application") -> None:
    """Tell of what little is left in the account's plan, and what happens then."""
    for line in await application.plans.warnings(application.account):
        console.tell(Styled("note: ", "fair"), line)


def standing_record(standing: "Standing") -> dict[str, Any]:
    """Return a plan and its use as JSON values."""
    return {
        "plan": standing.plan,
        "until": standing.until and standing.until.isoformat(),
        "usage": [
            {
                "resource": one.resource,
                "used": one.used,
                "limit": one.limit,
                "left": one.left,
                "share": one.share,
                "resets_at": one.resets_at and one.resets_at.isoformat(),
            }
            for one in standing.usage
        ],
    }


def figures_record(figures: "Figures") -> dict[str, Any]:
    """Return figures as JSON values; times are milliseconds."""
    from multidb_chat.domain.statistics import CACHED, FAILED, MILLISECONDS, NOT_FOUND, TURNS

    return {
        "questions": figures.questions,
        "turns": figures.total(TURNS),
        "cached": figures.total(CACHED),
        "not_found": figures.total(NOT_FOUND),
        "failed": figures.total(FAILED),
        "hit_rate": figures.hit_rate,
        "median_ms": figures.within(0.5),
        "p95_ms": figures.within(0.95),
        "documents": figures.documents,
        "size_bytes": figures.size_bytes,
        "helpful": figures.helpful,
        "unhelpful": figures.unhelpful,
        "days": [
            {
                "day": day.day.isoformat(),
                "questions": day.questions,
                "turns": day.of(TURNS),
                "cached": day.of(CACHED),
                "not_found": day.of(NOT_FOUND),
                "failed": day.of(FAILED),
                "milliseconds": day.of(MILLISECONDS),
            }
            for day in figures.days
        ],
    }


def _write_standing(console: Console, standing: "Standing") -> None:
    from multidb_chat.services.quota_wording import warning

    until = f", until {standing.last_day}" if standing.until else ""
    console.write(Styled(f"{'plan':<18}", "faint"), Styled(standing.plan, "strong"), until)
    for one in standing.usage:
        console.write(Styled(f"{_name(one):<18}", "faint"), *_used(one))
    for one in standing.usage:
        if one.is_low:
            console.tell(Styled("note: ", "fair"), warning(standing.plan, one))
    months = [one.resets_at for one in standing.usage if one.resets_at is not None]
    console.tell(Styled(f"A month is a calendar month in UTC; the next one begins on {months[0]:%Y-%m-%d}.", "faint"))


def _name(usage: "Usage") -> str:
    from multidb_chat.services.quota_wording import NAMES

    return NAMES[usage.resource]


def _used(usage: "Usage") -> tuple[str | Styled, ...]:
    from multidb_chat.services.quota_wording import amount

    used = amount(usage.resource, usage.used)
    if usage.limit is None or usage.left is None or usage.share is None:
        return (f"{used:>9}  no limit",)
    if not usage.limit:
        return (f"{used:>9}  not in this plan",)
    filled = min(_BAR, round(_BAR * usage.share))
    style = "bad" if not usage.left else "fair" if usage.is_low else "good"
    left = f"  {amount(usage.resource, usage.left)} of {amount(usage.resource, usage.limit)} left"
    return f"{used:>9}  ", Styled("█" * filled, style), Styled("░" * (_BAR - filled), "faint"), left


def write_figures(console: Console, figures: "Figures") -> None:
    """Write figures for a person, with a bar for each day."""
    from multidb_chat.domain.statistics import FAILED, NOT_FOUND
    from multidb_chat.services.quota_wording import amount

    rate, median, slow = figures.hit_rate, figures.within(0.5), figures.within(0.95)
    rows = {
        "questions": counted(figures.questions, "question") + f" in {counted(len(figures.days), 'day')}",
        "from the cache": "nothing answered yet" if rate is None else f"{100 * rate:.0f} % of the answers",
        "not found": f"{figures.total(NOT_FOUND):,}",
        "failed": f"{figures.total(FAILED):,}",
        "answered within": "–"
        if median is None or slow is None
        else f"about {median:,.0f} ms (half), {slow:,.0f} ms (95 %)",
        "documents": f"{figures.documents:,} ({amount('storage', figures.size_bytes)})",
        "feedback": f"{figures.helpful:,} good, {figures.unhelpful:,} bad",
    }
    for name, value in rows.items():
        console.write(Styled(f"{name:<18}", "faint"), value)
    asked = [day for day in figures.days if day.questions]
    most = max((day.questions for day in asked), default=0)
    for day in asked:
        bar = "█" * max(1, round(_BAR * day.questions / most))
        console.write(Styled(f"{day.day.isoformat():<18}", "faint"), f"{day.questions:>9,}  ", Styled(bar, "good"))
    if not asked:
        console.tell('No questions yet. Ask one: multidb-chat ask "How do I add my own documents?"')
