"""python-etcd 0.4.5: read, write, test_and_set, watch, lock and directory calls.

Needs ENDPOINT, a fresh server. Prints calls and answers in a form that is the same on every server: indexes count
from that of the first write, ids and ports have names.
"""

import logging
import os
import re
import threading
import time
import urllib.parse

import etcd

logging.disable(logging.CRITICAL)
url = urllib.parse.urlparse(os.environ["ENDPOINT"])


def connect(**more):
    return etcd.Client(host=url.hostname, port=url.port, read_timeout=20, **more)


client = connect()
base = client.write("/base", "here").modifiedIndex


def normal(text):
    text = re.sub(r"port=\d+", "port=PORT", str(text))
    text = re.sub(r"https?://(127\.0\.0\.1|localhost):\d+", "URL", text)
    text = re.sub(r"\[(\d+) != (\d+)\]", lambda it: f"[+{int(it[1]) - base} != +{int(it[2]) - base}]", text)
    text = re.sub(r"\b\d{20}\b", "ORDER", text)
    return re.sub(r"\b[0-9a-f]{13,16}\b", "ID", text)


def node(result):
    words = [str(result.action), result.key, repr(result.value)]
    words += ["dir"] if result.dir else []
    words += ["new"] if result.newKey else []
    words += [f"ttl {'near' if 0 < result.ttl <= 100 else result.ttl}"] if result.ttl else []
    words += [f"created +{(result.createdIndex or base) - base} modified +{(result.modifiedIndex or base) - base}"]
    previous = getattr(result, "_prev_node", None)
    words += [f"before {previous.value!r} +{previous.modifiedIndex - base}"] if previous else []
    return normal(" ".join(words))


def show(name, call):
    """Prints what a call has given: a result, or the class and the text of its error."""
    try:
        answer = call()
    except etcd.EtcdException as error:
        print(f"{name}: {type(error).__name__}: {normal(error)}")
        return None
    print(f"{name}: {node(answer) if isinstance(answer, etcd.EtcdResult) else normal(answer)}")
    return answer


def tree(name, key, **how):
    print(name)
    for child in sorted(client.read(key, **how).children, key=lambda child: child.key):
        print("   ", node(child))


print("# reading and writing")
show("write", lambda: client.write("/app/name", "one"))
show("read", lambda: client.read("/app/name"))
show("quorum read", lambda: client.read("/app/name", quorum=True))
show("write with ttl", lambda: client.write("/app/name", "two", ttl=100))
show("refresh", lambda: client.refresh("/app/name", 90))
show("set", lambda: client.set("/app/name", "three & four = ü%41+"))
show("get", lambda: client.get("/app/name"))
show("in", lambda: ["/app/name" in client, "/app/none" in client])
show("read none", lambda: client.read("/app/none"))
show("create again", lambda: client.write("/app/name", "x", prevExist=False))
show("create", lambda: client.write("/app/new", "x", prevExist=False))
show("update none", lambda: client.write("/app/none", "x", prevExist=True))
found = client.get("/app/new")
found.value = "y"
show("update", lambda: client.update(found))
show("update what has changed", lambda: client.update(found))
show("pop", lambda: client.pop("/app/new"))
show("delete none", lambda: client.delete("/app/new"))

print("# test_and_set")
show("write", lambda: client.write("/cas", "one"))
show("test_and_set", lambda: client.test_and_set("/cas", "two", "one"))
show("test_and_set in vain", lambda: client.test_and_set("/cas", "three", "one"))
show("test_and_set with ttl", lambda: client.test_and_set("/cas", "three", "two", ttl=100))
at = client.read("/cas").modifiedIndex
show("by index", lambda: client.write("/cas", "four", prevIndex=at))
show("by an old index", lambda: client.write("/cas", "five", prevIndex=at))
show("delete if", lambda: client.delete("/cas", prevValue="wrong"))
show("delete if so", lambda: client.delete("/cas", prevValue="four"))

print("# directories")
show("make", lambda: client.write("/dir", None, dir=True))
show("make again", lambda: client.write("/dir", None, dir=True))
show("leaf", lambda: client.write("/dir/deep/leaf", "green"))
show("append", lambda: client.write("/dir/queue", "first", append=True))
show("append", lambda: client.write("/dir/queue", "second", append=True))
show("write on it", lambda: client.write("/dir", "value"))
tree("children", "/dir")
tree("leaves", "/dir", recursive=True)
tree("sorted", "/dir/queue", recursive=True, sorted=True)
show("below a leaf", lambda: client.write("/dir/deep/leaf/more", "x"))
show("delete a full one", lambda: client.delete("/dir", dir=True))
show("delete it as a leaf", lambda: client.delete("/dir"))
show("delete it all", lambda: client.delete("/dir", recursive=True))
show("make", lambda: client.write("/empty", None, dir=True, ttl=100))
show("delete an empty one", lambda: client.delete("/empty", dir=True))

print("# watching")
start = show("write", lambda: client.write("/w/a", "1")).modifiedIndex
client.write("/w/b", "2")
client.delete("/w/a")
client.write("/w/c/d", "3")
for past in range(4):
    show("watch the past", lambda: client.watch("/w", index=start + past, recursive=True))
show("watch one key of the past", lambda: client.watch("/w/b", index=start))
show("watch in vain", lambda: client.watch("/w/none", timeout=1))


def later(*calls):
    def run():
        other = connect()
        for call in calls:
            time.sleep(0.3)
            call(other)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


thread = later(lambda other: other.write("/w/a", "4"))
show("watch what comes", lambda: client.watch("/w/a"))
thread.join()
thread = later(lambda other: other.write("/w/c/e", "5", ttl=100), lambda other: other.delete("/w/c", recursive=True))
events = client.eternal_watch("/w", recursive=True)
show("eternal", lambda: next(events))
show("eternal", lambda: next(events))
thread.join()
thread = later(lambda other: other.write("/w/short", "6", ttl=1))
show("watch", lambda: client.watch("/w/short"))
show("watch the end", lambda: client.watch("/w/short"))
thread.join()

print("# lock")
first = etcd.Lock(connect(), "door")
second = etcd.Lock(connect(), "door")
show("acquire", lambda: first.acquire(lock_ttl=60))
show("held", lambda: first.is_acquired)
show("the other one in vain", lambda: second.acquire(blocking=False, lock_ttl=60))
print("in line:", len(list(client.read("/_locks/door", recursive=True).leaves)))
thread = later(lambda _: first.release())
show("the other one", lambda: second.acquire(lock_ttl=60))
thread.join()
show("held", lambda: [first.is_acquired, second.is_acquired])
show("release", lambda: second.release())
with etcd.Lock(connect(), "door") as lock:
    show("as a block", lambda: lock.is_acquired)
show("after it", lambda: lock.is_acquired)

print("# the cluster")
show("machines", lambda: client.machines)
show("members", lambda: [sorted(member) for member in client.members.values()])
show("leader", lambda: sorted(client.leader))
show("stats", lambda: client.stats["state"])
show("store stats", lambda: sorted(client.store_stats))
show("leader stats", lambda: sorted(client.leader_stats))
show("reconnecting", lambda: connect(allow_reconnect=True).read("/base"))
