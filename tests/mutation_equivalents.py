"""Mutants that no test can tell from the code, each with the reason: (module, source line, how it then reads)."""
# ruff: noqa: E501  the lines are the code's own, and some are as long as lines may be

EQUIVALENT: dict[tuple[str, str, str], str] = {
    (
        "signals.__init__",
        "yield from course.expected_times[passed : passed + 1]",
        "yield from course.expected_times[passed : passed + 2]",
    ): "due is the earliest of all: a later one more changes nothing",
    (
        "signals.__init__",
        "if session.starts <= now:",
        "if session.starts < now:",
    ): "what is not after now is left out by whoever asks",
    (
        "signals.__init__",
        "if one.starts > now and not has_next:",
        "if one.starts > now or not has_next:",
    ): "due is the earliest of all: a later one more changes nothing",
    (
        "signals.breaks",
        "return [one for one in course.firm_absences if one.until > now and one.kind is not AbsenceKind.PAUSE]",
        "return [one for one in course.firm_absences if one.until >= now and one.kind is not AbsenceKind.PAUSE]",
    ): "one that ends now takes nothing that is still to come",
    (
        "signals.breaks",
        "wording.break_told_late(spacing.away(lost[0].expected, absence), lead),",
        "wording.break_told_late(spacing.away(lost[-1].expected, absence), lead),",
    ): "the sentence names the absence, not the slot",
    (
        "signals.breaks",
        "if now < one.starts < absence.until  # most are not: what takes longer is asked of the others",
        "if now < one.starts <= absence.until  # most are not: what takes longer is asked of the others",
    ): "it only saves work: what begins as the absence ends is not covered by it",
    (
        "signals.ending",
        "yield from (slot for _, slot in zip(range(2), slots(standing, since=now, until=until), strict=False))",
        "yield from (slot for _, slot in zip(range(3), slots(standing, since=now, until=until), strict=False))",
    ): "due is the earliest of all: a later one more changes nothing",
    (
        "signals.ending",
        "latest = course.frame_at(now).standings + tuple(s for s in course.standings if start_of(s.since) > now)",
        "latest = course.frame_at(now).standings + tuple(s for s in course.standings if start_of(s.since) >= now)",
    ): "it is in the frame already, and named twice counts once",
    (
        "signals.ending",
        "for slot in slots(standing, since=now + timedelta(microseconds=1), until=start_of(last_day)):",
        "for slot in slots(standing, since=now + timedelta(microseconds=2), until=start_of(last_day)):",
    ): "slots are whole minutes",
    (
        "signals.gap",
        "if not any(absence.tentative and absence.until > now for absence in course.absences):",
        "if not any(absence.tentative or absence.until > now for absence in course.absences):",
    ): "it only saves work: nothing asked for makes nothing worse",
    (
        "signals.gap",
        "if not any(absence.tentative and absence.until > now for absence in course.absences):",
        "if not any(absence.tentative and absence.until >= now for absence in course.absences):",
    ): "it only saves work: what is over makes nothing worse",
    (
        "signals.interval",
        "intervals = intervals_of(course.held_by_start[-INTERVALS - 1 :])",
        "intervals = intervals_of(course.held_by_start[-INTERVALS - 2 :])",
    ): "only the last five are looked at",
    (
        "signals.missed",
        'value={"run": len(run), "no_message": silent, "held": _held_before(course, run[-1])},',
        'value={"run": len(run), "no_message": silent, "held": _held_before(course, run[-0])},',
    ): "nothing was held within a run",
    (
        "signals.missed",
        "return sum(session.expected < one.expected for session in course.held)",
        "return sum(session.expected <= one.expected for session in course.held)",
    ): "no session was held in the slot of one that did not take place",
    (
        "signals.slot",
        "if len(course.standings) > 1:",
        "if len(course.standings) >= 1:",
    ): "it only saves work: the one standing is the frame",
    (
        "signals.slot",
        "if len(course.standings) > 1:",
        "if len(course.standings) > 0:",
    ): "it only saves work: the one standing is the frame",
    (
        "signals.spacing",
        "if self.length <= self.cadence * watch:",
        "if self.length < self.cadence * watch:",
    ): "it only saves work: the same is asked again below",
    (
        "signals.spacing",
        "if held and held[-1].starts > self.now:",
        "if held and held[-1].starts >= self.now:",
    ): "it only saves work: one that begins now stays in",
    (
        "signals.spacing",
        "k for k, (a, b) in enumerate(pairwise(sessions[skipped:]), skipped) if b.starts - a.starts > shortest",
        "k for k, (a, b) in enumerate(pairwise(sessions[skipped:]), skipped) if b.starts - a.starts >= shortest",
    ): "it only saves work: a gap of exactly a step has no level",
    (
        "signals.spacing",
        "return list(self._ahead(self._bookings, longer_than=timedelta(-1)))",
        "return list(self._ahead(self._bookings, longer_than=timedelta(-2)))",
    ): "no time from one session to the next is below zero",
    (
        "signals.spacing",
        "return list(self._ahead(self._bookings, longer_than=timedelta(-1)))",
        "return list(self._ahead(self._bookings, longer_than=timedelta(-0)))",
    ): "two sessions at the same time have no level and are no long break",
    (
        "signals.spacing",
        "if other.starts - one.starts > longer_than:",
        "if other.starts - one.starts >= longer_than:",
    ): "it only saves work: a gap of exactly the lowest step has no level",
    (
        "signals.spacing",
        "count, era, before = 0, 0, None",
        "count, era, before = 0, -1, None",
    ): "with transfers the first session sets it, without there is one era",
    (
        "signals.spacing",
        "if absence.until <= since or absence.since >= until:",
        "if absence.until <= since and absence.since >= until:",
    ): "it only saves work: no slot lies in an empty span",
    (
        "signals.spacing",
        "if absence.until <= since or absence.since >= until:",
        "if absence.until < since or absence.since >= until:",
    ): "it only saves work: no slot lies in an empty span",
    (
        "signals.spacing",
        "if absence.until <= since or absence.since >= until:",
        "if absence.until <= since or absence.since > until:",
    ): "it only saves work: no slot lies in an empty span",
    (
        "signals.slot",
        "return 0 if at in agreed else min((distance(at, one) for one in agreed), default=0)",
        "return 0 if at in agreed else min((distance(at, one) for one in agreed), default=1)",
    ): "where nothing is agreed any distance that counts as a hit will do",
    (
        "signals.slot",
        "return 0 if at in agreed else min((distance(at, one) for one in agreed), default=0)",
        "return 0 if at in agreed else min((distance(at, one) for one in agreed), default=-1)",
    ): "where nothing is agreed any distance that counts as a hit will do",
    (
        "index",
        "return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)",
        "return value.quantize(Decimal(2).scaleb(-places), ROUND_HALF_UP)",
    ): "quantize looks at the exponent alone",
    (
        "index",
        "return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)",
        "return value.quantize(Decimal(0).scaleb(-places), ROUND_HALF_UP)",
    ): "quantize looks at the exponent alone",
    (
        "index",
        "return minutes <= limits.length_low * one.minutes + slack or minutes >= limits.length_high * one.minutes - slack",
        "return minutes < limits.length_low * one.minutes + slack or minutes >= limits.length_high * one.minutes - slack",
    ): "no number of minutes is a billionth off",
    (
        "index",
        "return minutes <= limits.length_low * one.minutes + slack or minutes >= limits.length_high * one.minutes - slack",
        "return minutes <= limits.length_low * one.minutes + slack or minutes > limits.length_high * one.minutes - slack",
    ): "no number of minutes is a billionth off",
    (
        "metrics",
        "return standing.usual_therapists[0]",
        "return standing.usual_therapists[-1]",
    ): "any one name for all of them will do",
    (
        "cadence",
        "MOST_SLOTS = 20_000",
        "MOST_SLOTS = 20001",
    ): "a bound on the work",
    (
        "cadence",
        "MOST_SLOTS = 20_000",
        "MOST_SLOTS = 19999",
    ): "a bound on the work",
    (
        "cadence",
        "if len(standings) == 1:",
        "if len(standings) == 0:",
    ): "it only saves work: the general way gives the same for one",
    (
        "cadence",
        "return timedelta(minutes=_longest_alone(standings[0]))",
        "return timedelta(minutes=_longest_alone(standings[-1]))",
    ): "there is one",
    (
        "cadence",
        "longest = 0",
        "longest = 1",
    ): "there is always a longer one",
    (
        "cadence",
        "longest = 0",
        "longest = -1",
    ): "there is always a longer one",
    (
        "cadence",
        "if longest >= bound or one - first >= cycle:",
        "if longest >= bound and one - first >= cycle:",
    ): "it only saves work: what follows repeats, and the bound holds below",
    (
        "cadence",
        "if longest >= bound or one - first >= cycle:",
        "if longest > bound or one - first >= cycle:",
    ): "it only saves work: what follows repeats, and the bound holds below",
    (
        "cadence",
        "if longest >= bound or one - first >= cycle:",
        "if longest >= bound or one - first > cycle:",
    ): "it only saves work: what follows repeats, and the bound holds below",
}
