"""A folder with a sandbox and a leadsync that talks to it: what the worlds of hammer.py and nights.py share."""
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request


class Difference(Exception):
    """What is there is not what must be."""


class Stopped(Exception):
    """Another world found something."""


def is_roomy(folder):
    """In containers it may be a few megabytes."""
    if not os.access(folder, os.W_OK):
        return False
    at = os.statvfs(folder)
    return at.f_bavail * at.f_frsize > 1 << 30


class Workspace:
    def __init__(self, program, *options, keep=False):
        """`options` of the sandbox."""
        self.program, self.keep = os.path.abspath(program), keep
        # A killed process loses nothing that it wrote; deaths.py tests the disk. So memory will do.
        memory = "/dev/shm" if "TMPDIR" not in os.environ and is_roomy("/dev/shm") else None
        self.folder = tempfile.mkdtemp(prefix="leadsync-soak-", dir=memory)
        env = {"PATH": os.environ["PATH"], "HOME": self.folder, "XDG_STATE_HOME": self.folder + "/state",
               "LC_ALL": "C.UTF-8", "INSTANTLY_API_KEY": "soak", "LEADSYNC_ABORT": "1"}
        env.update({k: v for k, v in os.environ.items() if k.startswith(("ASAN_", "UBSAN_", "LSAN_"))})
        self.env = env
        self.sandbox = subprocess.Popen([self.program, "sandbox", "--rate", "0", *options], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, env=env, cwd=self.folder, text=True)
        self.url = self.sandbox.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("the sandbox did not start")
        env["INSTANTLY_API_URL"] = self.url

    def stop(self, failed):
        self.sandbox.kill()
        self.sandbox.wait()
        self.sandbox.stdout.close()
        if failed or self.keep:
            print(f"kept: {self.folder}", flush=True)
        else:
            shutil.rmtree(self.folder)

    # ---- the two programs ----

    def control(self, **what):
        request = urllib.request.Request(self.url + "/__control", json.dumps(what).encode(),
                                         {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"the sandbox refuses {what}: {error.read()}") from None

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=600) as answer:
            return json.load(answer)

    def leadsync(self, command, sync, *words, **env):
        """Its output is in files named after the sync."""
        with open(f"{self.folder}/{sync}.out", "w", encoding="utf-8") as out, \
                open(f"{self.folder}/{sync}.err", "w", encoding="utf-8") as err:
            return subprocess.Popen([self.program, command, sync, *words], env=dict(self.env, **env), cwd=self.folder,
                                    stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    def end_of(self, run, seconds):
        try:
            return run.wait(seconds)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
            raise Difference(f"{run.args[1:3]} did not end in {seconds} s: {self.said(run.args[2])}") from None

    def said(self, sync):
        text = ""
        for kind in ("err", "out"):
            with open(f"{self.folder}/{sync}.{kind}", encoding="utf-8") as f:
                text += f.read()[-1500:]
        return text

    def there(self):
        """Of each name, its leads as (place, first name, seats, status)."""
        state = self.get("/__state")
        names = {p["id"]: p["name"] for p in state["campaigns"] + state["lists"]}
        leads = {}
        for lead in state["leads"]:
            payload = lead.get("payload") or {}
            place = names.get(lead.get("campaign") or lead.get("list_id"))
            name = lead.get("email") or f"key {payload.get('leadsync_key')}"
            leads.setdefault(name, []).append((place, payload.get("firstName"), payload.get("seats"), lead["status"]))
        return leads
