"""Whether a policy is at home at a site."""

from __future__ import annotations

from pathlib import Path

from rich.markup import escape

from primum.auditing.policy.site import Bounded, Site, SiteCheck
from primum.auditing.policy.terms import percent
from primum.cli.terminal.console import console

VERDICTS = {"usable": "[green]usable[/green]", "suspended": "[bold red]suspended[/bold red]"}


def show_check(check: SiteCheck, out: Path | None) -> None:
    """Print the share vetoed and the verdict of each site, and what holds there without labels."""
    images = sum(site.images for site in check.sites)
    console.print(
        f"{escape(check.name)}: {images} images, unfamiliar by {escape(check.score)}; of {check.unit} like "
        f"those of the fit rows at most {percent(check.bound)} are"
    )
    for site in check.sites:
        _show_site(site, check)
    adjusted = f", each p adjusted for {len(check.sites)} sites (Holm)" if len(check.sites) > 1 else ""
    console.print(f"suspended at p ≤ 0.01{adjusted}; {_needed(check)}")
    console.print(
        "who is answered and fatally wrong has an image that passes the veto, and of that an answer which "
        "can be fatal: the bounds are exact, 95 % sure each, whatever the labels are"
    )
    for note in check.notes:
        console.print(f"[yellow]note:[/yellow] {escape(note)}")
    if check.sentence:
        console.print(f"[bold red]suspended:[/bold red] {escape(check.sentence)}")
    if out is not None:
        console.print(f"check: {escape(str(out))}", soft_wrap=True)


def _show_site(site: Site, check: SiteCheck) -> None:
    name = "all rows" if site.group == "all" else escape(site.group)
    bounds = [] if site.harmless is None else [f"{_bound(site.harmless)} get an answer that can be fatal"]
    bounds.append(f"{_bound(site.passing)} pass the veto")
    console.print(
        f"[bold]{name}[/bold]: {site.vetoed} of {site.units} {check.unit} unfamiliar "
        f"({100 * site.vetoed / site.units:.1f} %), p = {site.p:.2g}: {VERDICTS[site.verdict]}"
    )
    console.print(f"  of {check.bounded} like these {', '.join(bounds)}")


def _bound(bounded: Bounded) -> str:
    return f"at most {100 * bounded.at_most:.1f} % ({bounded.count} of {bounded.n})"


def _needed(check: SiteCheck) -> str:
    """From how many units on a veto of 20 % would be noticed, and where there are fewer."""
    if check.needed is None:
        return "a veto of 20 % is no more, or hardly more, than this policy promises, and goes unnoticed"
    noun, short = "images" if check.unit == "images" else "patients", ""
    few = sum(site.units < check.needed and site.verdict == "usable" for site in check.sites)
    if few:
        where = "here" if len(check.sites) == 1 else f"at {few} of {len(check.sites)} sites"
        short = f", fewer are {where}, so that usable means little"
    return f"a veto of 20 % is noticed (power 80 %) from {check.needed} {noun} on{short}"
