"""Which message wakes which job.

The left side stands in the database and outlives any release: a topic may be added, and is never given another meaning.
"""

from collections.abc import Callable, Mapping

from service.usecases.outbox import Taken
from workers import jobs, outside
from workers.house import House

JOBS: Mapping[str, Callable[[Taken, House], None]] = {
    "assess.course": jobs.assess_course,
    "notice.mail": jobs.send_notice,
    "notice.digest": jobs.send_notice,
    "notice.chat": jobs.send_chat,
    "client.mail": jobs.send_to_client,
    "client.reminder": jobs.send_to_client,
    "webhook.send": jobs.send_webhook,
    "outside.read": outside.read_calendar,
}
