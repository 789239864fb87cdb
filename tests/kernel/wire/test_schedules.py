"""`during`: times of day and days of the week, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from probes import SILENCE, expect, tcp, udp

ZONES = """
policy edge { ownership shared }
zone wan = interface eth0
"""


def test_schedules(site):
    now = datetime.now(UTC)
    day, other = (f"{moment:%a}".lower() for moment in (now, now + timedelta(days=3)))
    before = f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    later = f"{now + timedelta(hours=2):%H:%M}-{now + timedelta(hours=4):%H:%M}"
    site.policy.load(
        ZONES
        + f"""
        schedule today = {day} 00:00-24:00 utc
        schedule midweek = {other} 00:00-24:00 utc
        schedule around = mon-sun {before} utc
        schedule later = mon-sun {later} utc
        filter wan -> self {{
          drop tcp/22 during today
          drop tcp/80 during midweek
          drop tcp/443 during around
          drop tcp/53 during later
          drop tcp/8080 during not later, midweek
          drop tcp/8081 during not today, later
        }}
        """
    )
    expect(
        {
            tcp(site.outside, "192.0.2.1", port): SILENCE if dropped else f"192.0.2.1:{port} from 192.0.2.10"
            for port, dropped in ((22, 1), (80, 0), (443, 1), (53, 0), (8080, 1), (8081, 0))
        }
    )


def test_a_time_over_midnight_belongs_to_the_day_on_which_it_begins(site):
    now = datetime.now(UTC)
    days = {moment: f"{now + timedelta(days=moment):%a}".lower() for moment in (-1, 0)}
    starts = [(now.hour + 2) % 24 * 60, (now.hour - 1) % 24 * 60]
    windows = [(days[day], start, (start - 60) % 1440) for start in starts for day in days]
    schedules, rules, wanted = "", "", {}
    for number, (day, start, end) in enumerate(windows):
        schedules += f"schedule s{number} = {day} {clock(start)}-{clock(end)} utc\n"
        rules += f"  drop udp/{6000 + number} during s{number}\n"
        inside = any(
            begins <= now < begins + timedelta(minutes=(end - start) % 1440)
            for back in (0, 1)
            for begins in [(now - timedelta(days=back)).replace(hour=start // 60, minute=0, second=0, microsecond=0)]
            if f"{begins:%a}".lower() == day
        )
        wanted[udp(site.outside, "192.0.2.1", 6000 + number)] = SILENCE if inside else "icmp 3/3"
    assert len(set(wanted.values())) == 2
    site.policy.load(ZONES + schedules + f"filter wan -> self {{\n{rules}}}\n")
    expect(wanted)


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"
