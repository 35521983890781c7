#!/usr/bin/env python3
"""The tool beside its peers: commands in turn over one loopback web, medians, ratios round by round. Called by ours.sh.

CPU seconds are the command's and everything it waited for (wait4), peak memory is the largest process's VmHWM, looked at every
20 ms. The web's own process is not counted. Only the ratios of one invocation mean anything. Linux, Python 3.9, wget, curl."""
import json, os, shutil, statistics, subprocess, sys, tempfile, threading, time

TOOL, ORIGIN = os.environ["ONRECORD"], os.environ["ORIGIN"]
PORT = int(os.environ.get("PORT", "8470"))
BASE = f"http://127.0.0.1:{PORT}"
WGET = "wget -nv -e robots=off --page-requisites -nd --delete-after --no-warc-keep-log"
OURS = f"{TOOL} -q --archive %(out)s/archive --json run --allow-net 127.0.0.0/8"
PEERS = {
    "onrecord": OURS + " --concurrency %(conc)d --per-host %(conc)d %(list)s > %(work)s/outcome.json",
    "wget": WGET + " --warc-file=%(out)s/w -P %(out)s/f -i %(list)s",
    "wget, gzip taken": WGET + " --compression=auto --warc-file=%(out)s/w -P %(out)s/f -i %(list)s",
    "four wgets": "split -n l/4 %(list)s %(work)s/s. && ls %(work)s/s.?? | xargs -P 4 -I{} sh -c '"
    + WGET + " --warc-file=%(out)s/$(basename {}) -P %(out)s/f-$(basename {}) -i {}'",
    "curl, nothing kept": "curl -s -L --compressed --parallel --parallel-max %(conc)d -K %(curl)s",
}
BIG = {
    "onrecord": OURS + " %(list)s > %(work)s/outcome.json",
    "wget": "wget -nv --delete-after --no-warc-keep-log --warc-file=%(out)s/w --warc-tempdir=%(out)s -P %(out)s/f -i %(list)s",
    "curl, nothing kept": "curl -s -o /dev/null -K %(curl)s",
}

def measured(command, log):
    start = time.monotonic()
    child = subprocess.Popen(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    peak, done = [0], threading.Event()
    def family(pid):
        yield pid
        try: children = open(f"/proc/{pid}/task/{pid}/children").read().split()
        except OSError: return
        for one in children: yield from family(int(one))
    def look():
        while not done.wait(0.02):
            for pid in family(child.pid):
                try: peak[0] = max([peak[0]] + [int(l.split()[1]) for l in open(f"/proc/{pid}/status") if l.startswith("VmHWM")])
                except OSError: pass
    watcher = threading.Thread(target=look); watcher.start()
    _, status, used = os.wait4(child.pid, 0)
    wall = time.monotonic() - start
    done.set(); watcher.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    return {"rc": child.returncode, "wall": wall, "cpu": used.ru_utime + used.ru_stime, "mib": peak[0] / 1024}

def size(folder):
    return sum(os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder) for name in names)

def table(peers, links, units, unit, rounds, conc, wait=0, extra=""):
    """Runs the peers in turn; `units` is what a run comes to (exchanges, or megabytes), by which CPU seconds are divided."""
    work = tempfile.mkdtemp(prefix="ours-", dir=os.environ.get("BENCH_TMP"))
    web = subprocess.Popen([ORIGIN, "serve", str(PORT), str(wait)], stdout=subprocess.PIPE)
    try:
        web.stdout.readline()
        listed, curl = os.path.join(work, "links.txt"), os.path.join(work, "curl.txt")
        open(listed, "w").write("".join(f"{url}\n" for url in links))
        pictures = [f"{BASE}/img/{url.rsplit('/', 1)[1]}-{k}" for url in links for k in range(3) if "/t/" in url]
        open(curl, "w").write("".join(f'url = "{url}"\noutput = /dev/null\n' for url in links + pictures))
        found = {name: [] for name in peers}
        for _ in range(rounds):
            for name, command in peers.items():
                out = os.path.join(work, "out"); shutil.rmtree(out, ignore_errors=True); os.makedirs(out)
                with open(os.path.join(work, "log.txt"), "w") as log:
                    one = measured(command % {"out": out, "work": work, "list": listed, "curl": curl, "conc": conc}, log)
                one["bytes"] = size(out)
                found[name].append(one)
                print(json.dumps({"tool": name, **one}), file=sys.stderr)
        print(f"\n{len(links)} links, {units:g} {unit}, {rounds} rounds in turn, medians{extra}\n")
        print(f"| | links a second | CPU-s for 1000 {unit} | {unit} for a CPU-s, times wget's | peak MiB | MB on disk | exit |\n|---|---|---|---|---|---|---|")
        for name, runs in found.items():
            median = lambda key: statistics.median(run[key] for run in runs)
            ratio = statistics.median(b["cpu"] / max(a["cpu"], 1e-3) for a, b in zip(runs, found["wget"])) if "wget" in found else 0
            print(f"| {name} | {len(links) / median('wall'):.1f} | {1000 * median('cpu') / units:.3f} | {ratio:.2f} | {max(r['mib'] for r in runs):.0f} | {median('bytes') / 1e6:.1f} | {runs[0]['rc']} |")
    finally:
        web.terminate(); web.wait(); shutil.rmtree(work, ignore_errors=True)

def main(what, *numbers):
    links = lambda n: [f"{BASE}/t/{i}" for i in range(n)]
    exchanges = lambda n: 6 * n + n // 2
    if what == "crowd":
        n = int(numbers[0]) if numbers else 1000
        few = {name: PEERS[name] for name in ("onrecord", "curl, nothing kept")}
        table(few, links(n), exchanges(n), "exchanges", 1, 256, 50, ", 256 in flight, 50 ms before every answer")
    elif what == "big":
        bytes_, rounds = int(numbers[0]) if numbers else 2 << 30, int(numbers[1]) if len(numbers) > 1 else 3
        os.environ |= {"ONRECORD_NETWORK_MAX_BODY": str(bytes_ + 1), "ONRECORD_NETWORK_TIMEOUT": "600"}
        table(BIG, [f"{BASE}/big/{bytes_}"], bytes_ / 1e6, "MB", rounds, 8)
    elif what == "growth":
        for n in map(int, (numbers[0] if numbers else "1500,15000").split(",")):
            table({"onrecord": PEERS["onrecord"]}, links(n), exchanges(n), "exchanges", 1, 8)
    elif what == "many":
        for n in map(int, (numbers[0] if numbers else "1000,8000,60000").split(",")):
            table({"onrecord": PEERS["onrecord"]}, [f"{BASE}/big/700?{i}" for i in range(n)], n, "exchanges", 1, 8)
    else:
        n, rounds, conc = (int(x) for x in (list(numbers) + ["1000", "3", "8"][len(numbers):]))
        table(PEERS, links(n), exchanges(n), "exchanges", rounds, conc)

main(*(sys.argv[1:] or ["side"]))
