"""The machine room: servers that save, die with their parent, and come back; commands that load only what they need."""

import os
import signal
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path
from smtplib import SMTP, SMTPDataError
from socket import create_server
from time import monotonic, sleep
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis
from playwright.sync_api import Page

from service.commands import COMMANDS, embedded, own_keys
from service.commands.embedded import Server
from service.commands.supervisor import Supervisor, tethered
from tests.servers import Inbox, PostgreSQL, Program

ROOT = Path(__file__).parents[1]


def until(holds: Callable[[], bool], within_seconds: float = 60.0) -> bool:
    end = monotonic() + within_seconds
    while not holds() and monotonic() < end:
        sleep(0.02)
    return holds()


def is_running(pid: int) -> bool:
    """Zombies, which nobody has collected yet, have ended."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class TestEmbeddedRedis:
    def test_what_it_accepted_survives_a_kill(self, redis_server: Server) -> None:
        with redis.Redis.from_url(redis_server.url) as client:
            for number in range(500):
                client.rpush("accepted", number)
        redis_server.kill()
        redis_server.start_again()
        with redis.Redis.from_url(redis_server.url) as client:
            assert client.llen("accepted") == 500

    def test_control_without_the_append_only_file_a_kill_loses_it(self, tmp_path: Path) -> None:
        server = Server(tmp_path / "redis")
        with redis.Redis.from_url(server.url) as client:
            client.config_set("appendonly", "no")
            client.rpush("accepted", 1)
        server.kill()
        for file in (tmp_path / "redis").glob("appendonlydir/*"):
            file.unlink()
        server.start_again()
        with redis.Redis.from_url(server.url) as client:
            assert client.llen("accepted") == 0
        server.stop()

    def test_it_listens_on_no_port_and_to_nobody_else(self, redis_server: Server) -> None:
        socket = Path(urlsplit(redis_server.url).path)
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        with redis.Redis.from_url(redis_server.url) as client:
            assert client.config_get("port") == {"port": "0"}

    def test_a_folder_with_a_long_name_gets_its_socket_elsewhere(self, tmp_path: Path) -> None:
        server = Server(tmp_path / ("long" * 30))
        with redis.Redis.from_url(server.url) as client:
            assert client.ping()
        server.stop()

    def test_it_ends_when_its_parent_is_killed(self, tmp_path: Path) -> None:
        with parent_of_a_server(tmp_path, tied=True) as (parent, child):
            parent.kill()
            parent.wait()
            assert until(lambda: not is_running(child))

    def test_control_without_the_tether_it_outlives_its_parent(self, tmp_path: Path) -> None:
        with parent_of_a_server(tmp_path, tied=False) as (parent, child):
            parent.kill()
            parent.wait()
            assert not until(lambda: not is_running(child), within_seconds=1)

    def test_an_installed_server_that_is_too_old_is_passed_over(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = tmp_path / "redis-server"
        old.write_text("#!/bin/sh\necho 'Redis server v=5.0.14 sha=00000000:0'\n")
        old.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
        assert embedded.find_program() != old
        old.write_text("#!/bin/sh\necho 'Redis server v=7.2.4 sha=00000000:0'\n")
        assert embedded.find_program() == old


@contextmanager
def parent_of_a_server(folder: Path, *, tied: bool) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that starts a Redis, says the server's pid, and waits."""
    program = (
        "import pathlib, sys, time\n"
        "from service.commands import embedded\n"
        f"{'' if tied else 'embedded.tethered = list'}\n"
        "server = embedded.Server(pathlib.Path(sys.argv[1]))\n"
        "print(server.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    try:
        yield parent, child
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()
        if is_running(child):
            os.kill(child, signal.SIGKILL)


class TestSupervisor:
    def test_a_child_that_ends_is_started_again_and_what_it_says_is_passed_on(self) -> None:
        said: Counter[str] = Counter()
        supervisor = Supervisor(lambda name, line: said.update([f"{name} {line}"]))
        supervisor.start("one", [sys.executable, "-c", "print('here')"], os.environ)
        try:
            assert until(lambda: supervisor.look() or said["one here"] >= 2)  # type: ignore[func-returns-value]
        finally:
            supervisor.stop()

    def test_stop_leaves_nothing_running(self) -> None:
        supervisor = Supervisor(lambda _name, _line: None)
        for name in ("one", "two"):
            supervisor.start(name, ["sleep", "600"], os.environ)
        pids = [child.process.pid for child in supervisor.children if child.process]
        supervisor.stop()
        assert [pid for pid in pids if is_running(pid)] == []

    def test_a_tethered_command_keeps_its_pid_and_its_exit_code(self) -> None:
        command = [sys.executable, "-c", "import os, sys; print(os.getpid()); sys.exit(7)"]
        with subprocess.Popen(tethered(command), stdout=subprocess.PIPE, text=True) as process:
            said, _ = process.communicate()
        assert process.returncode == 7
        if sys.platform == "linux":
            assert int(said) == process.pid


@pytest.fixture
def start_up(tmp_path: Path) -> Iterator[Callable[[], Program]]:
    """`samehour up` on data of its own; each call starts another one on the same data."""
    with create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    programs: list[Program] = []

    def start() -> Program:
        command = [sys.executable, "-m", "service.commands", "up", "--port", str(port)]
        env = {"SAMEHOUR_DATA": str(tmp_path / "data")}
        programs.append(Program(command, env=env, log=tmp_path / f"up-{len(programs)}.log"))
        return programs[-1]

    yield start
    for program in programs:
        program.stop()


@pytest.mark.storm
class TestUp:
    def test_ready_then_restarts_what_is_killed_then_leaves_nothing(self, start_up: Callable[[], Program]) -> None:
        up = start_up()
        wait_until_ready(up)
        first = children_of(up)
        assert set(first) == {"redis", "web", "worker", "sweeper"}
        killed = ("redis", "web", "sweeper")
        for name in killed:
            first[name].kill()
        assert until(lambda: all(first[name] != children_of(up).get(name, first[name]) for name in killed)), up.said
        last = children_of(up)
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(timeout=60) == 0, up.said
        assert [name for name, it in last.items() if is_running(it.pid)] == []

    def test_a_kill_leaves_nothing_and_the_next_start_waits_for_the_files(
        self, start_up: Callable[[], Program]
    ) -> None:
        up = start_up()
        wait_until_ready(up)
        children = children_of(up)
        up.process.kill()
        up.process.wait()
        again = start_up()
        assert until(lambda: not any(is_running(it.pid) for it in children.values()))
        wait_until_ready(again)

    def test_a_second_one_on_the_same_data_is_refused(self, start_up: Callable[[], Program]) -> None:
        up = start_up()
        wait_until_ready(up)
        second = start_up()
        assert second.process.wait(timeout=60) == 1
        assert "already running" in second.said
        assert up.is_running

    def test_a_taken_port_is_named(self, tmp_path: Path) -> None:
        with create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            env = {"SAMEHOUR_DATA": str(tmp_path)}
            up = Program(
                [sys.executable, "-m", "service.commands", "up", "--port", port], env=env, log=tmp_path / "log"
            )
            assert up.process.wait(timeout=60) == 1
        assert f"Port {port} can't be used" in up.said


def wait_until_ready(up: Program) -> None:
    said = "samehour is ready at"
    until(lambda: said in up.said or not up.is_running, 120)
    assert said in up.said, up.said


def children_of(up: Program) -> dict[str, psutil.Process]:
    """What it runs, by the names that it prints; a process that has ended is not among them."""
    marks = {"redis": "redis.sock", "web": "gunicorn", "worker": "workers work", "sweeper": "workers sweep"}
    found: dict[str, psutil.Process] = {}
    for process in psutil.Process(up.process.pid).children():
        with suppress(psutil.Error):
            line = " ".join(process.cmdline())
            found |= {name: process for name, mark in marks.items() if mark in line and "tether.py" not in line}
    return found


class TestOwnKeys:
    def test_made_once_and_private(self, tmp_path: Path) -> None:
        data = tmp_path / "data"
        made = own_keys.make_missing(data, {})
        before = [path.read_bytes() for path in made]
        assert [stat.S_IMODE(path.stat().st_mode) for path in (data, *made)] == [0o700, 0o600, 0o600]
        assert own_keys.make_missing(data, {}) == []
        assert [path.read_bytes() for path in made] == before

    def test_not_made_where_the_environment_has_them(self, tmp_path: Path) -> None:
        assert own_keys.make_missing(tmp_path, {"SAMEHOUR_SECRET_KEY": "s", "SAMEHOUR_KEYS": "k"}) == []


class TestCommand:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_listed_command_exists_and_explains_itself(self, name: str) -> None:
        done = samehour(name, "--help")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"Usage: samehour {name}")

    def test_help_and_assess_load_no_web_framework_and_no_database(self) -> None:
        program = (
            "import sys\nfrom service.commands import main\n"
            "try: main(sys.argv[1:], prog_name='samehour')\n"
            "finally: print([m for m in ('flask', 'sqlalchemy', 'redis') if m in sys.modules])\n"
        )
        for arguments in (["--help"], ["assess", "--help"]):
            done = subprocess.run(
                [sys.executable, "-c", program, *arguments], capture_output=True, text=True, cwd=ROOT, check=True
            )
            assert done.stdout.endswith("[]\n"), done.stdout

    def test_an_unknown_one_is_refused(self) -> None:
        assert samehour("nonsense").returncode == 2


def samehour(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service.commands", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, stdin=subprocess.DEVNULL)


class TestServers:
    def test_postgresql_survives_a_kill(self) -> None:
        server = PostgreSQL()
        name = server.create()
        address = server.url(name).replace("+psycopg", "")
        with psycopg.connect(address) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        server.kill()
        server.start_again()
        with psycopg.connect(address) as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
        server.drop(name)
        server.stop()

    def test_mail_arrives_or_is_refused_on_a_real_socket(self, smtp_server: Inbox) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "from@clinic.example", "to@clinic.example", "Session times"
        mail.set_content("Wörter")
        address = urlsplit(smtp_server.url)
        with SMTP(str(address.hostname), int(address.port or 0)) as sender:
            sender.send_message(mail)
            smtp_server.answers.append("451 later")
            with pytest.raises(SMTPDataError):
                sender.send_message(mail)
        assert [it.get_content().strip() for it in smtp_server.to("to@clinic.example")] == ["Wörter"]

    @pytest.mark.journey
    def test_a_browser_opens_a_page_and_runs_its_script(self, page: Page) -> None:
        page.set_content("<button onclick=\"this.textContent = 'clicked'\">click</button>")
        page.get_by_role("button").click()
        assert page.get_by_role("button").text_content() == "clicked"


class TestNotRun:
    """A skipped test is listed, and under CI it fails the run."""

    TEST = (
        "import pytest\ndef test_runs(): pass\ndef test_does_not(): raise pytest.skip.Exception('no such thing here')\n"
    )

    @pytest.mark.parametrize(("env", "code", "processes"), [({"CI": "true"}, 1, ["--numprocesses=1"]), ({}, 0, [])])
    def test_listed_and_judged(self, tmp_path: Path, env: dict[str, str], code: int, processes: list[str]) -> None:
        (tmp_path / "test_sample.py").write_text(self.TEST)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "--rootdir",
                str(tmp_path),
                "-p",
                "tests.conftest",
                *processes,
                str(tmp_path),
            ],
            env={name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST")}
            | env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "not run here" in done.stdout
        assert "test_sample.py::test_does_not: Skipped: no such thing here" in done.stdout
