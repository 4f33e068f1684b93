"""The demo's last words: what happened, and where to look."""

from pathlib import Path

from rich.console import Console

from infra.demo.record import Record


def say(console: Console, record: Record, folder: Path, *, kept: bool) -> None:
    """Print the run in a few lines."""
    better = sum(record.auc_with[month] > record.auc_without[month] for month in record.auc_with)
    mark = "[green]✓[/green]" if record.went_well else "[red]✗[/red]"
    deploys = len(record.deploys)
    console.print()
    console.print(
        f"{mark} {record.seconds:.0f} s: {len(record.versions)} versions trained, {deploys} verified deploys, "
        f"{len(record.alarms)} drift alarms; {record.requests_sent:,} requests, {record.requests_failed} failed; "
        f"retraining was better in {better} of {len(record.auc_with)} months."
    )
    console.print(f"  pictures  [bold]{folder / 'report.html'}[/bold]")
    console.print(f"  facts     {folder / 'summary.json'}")
    if kept:
        console.print("  still up  sagestack local status, sagestack models flight-delay, sagestack local down")
