"""The demo's last words: what happened, and where to look."""

from pathlib import Path

from infra.demo.progress import Progress
from infra.demo.record import Record

OUTPUT = "output.txt"


def say(progress: Progress, record: Record, folder: Path, *, kept: bool) -> None:
    """Print the run in a few lines, and leave all that was printed in the folder: the README shows it."""
    better = sum(record.auc_with[month] > record.auc_without[month] for month in record.auc_with)
    mark = "[green]✓[/green]" if record.went_well else "[red]✗[/red]"
    progress.say("")
    alarms, requests = len(record.alarms), f"{record.requests_sent:,} requests, {record.requests_failed} failed"
    progress.say(
        f"{mark} {record.seconds:.0f} s: {len(record.versions)} versions trained, {len(record.deploys)} deployed and "
        f"verified, {alarms} drift alarms; {requests}"
    )
    progress.say(f"  retraining was better in {better} of {len(record.auc_with)} months")
    progress.say(f"  pictures  [bold]{folder / 'report.html'}[/bold]")
    progress.say(f"  facts     {folder / 'summary.json'}")
    if kept:
        progress.say("  still up  sagestack local status, sagestack models flight-delay, sagestack local down")
    (folder / OUTPUT).write_text("\n".join(record.said) + "\n", encoding="utf-8")
