"""Where no mail server is configured, and in the demo: what would be mailed is printed."""

import sys

from workers.channels import Mail


def send(mail: Mail) -> None:
    """Print it, in one piece so that two workers' lines do not mix."""
    sys.stdout.write(f"--- mail to {mail.to}: {mail.notice.subject}\n{mail.notice.text}---\n")
    sys.stdout.flush()
