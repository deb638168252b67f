"""`fetch` against huggingface_hub and torchvision: caches that both can use, and the table of torchvision's files.

    .venv/bin/python tests/peers/fetch.py

Run from the repository's root after `make`. Servers on this machine stand for the hub, for its store of large files, for a
host with TLS, and for a proxy; the TLS part needs the program `openssl`. Ends with `N passed, M failed`; exits with 1 when
anything failed.
"""

import hashlib
import http.server
import json
import os
import pathlib
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import tools

COMMIT = "89abcdef0123456789abcdef0123456789abcdef"
FILES = {
    "README.md": b"read me",
    "config.json": b'{"architecture": "resnet18"}',
    "model.safetensors": bytes(range(256)) * 400,
    "sub/folder/notes.txt": b"notes",
    "tokenizer.json": b"{}",
}
READ = ["config.json", "model.safetensors", "tokenizer.json"]
FETCH = str(tools.BIN.resolve() / "fetch")
results = []


def check(what, holds):
    results.append(bool(holds))
    print(f"{'ok  ' if holds else 'FAIL'} {what}")


def is_large(name):
    return name.endswith(".safetensors")


def git_blob(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def reply(self, status, headers, body=b""):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.server.gets.append(self.path)
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()


class Hub(Handler):
    """The hub's routes, for one model."""

    def do_GET(self):
        path = urllib.parse.unquote(self.path.split("?")[0])
        if path.startswith("/api/models/org/net/revision/"):
            files = [{"rfilename": name, "size": len(data)} for name, data in FILES.items()]
            return self.json({"id": "org/net", "sha": COMMIT, "siblings": files})
        if path.startswith("/api/models/org/net/tree/"):
            return self.json([self.entry(name, data) for name, data in FILES.items()], {"X-Repo-Commit": COMMIT})
        found = re.fullmatch("/org/net/resolve/[^/]+/(.+)", path)
        data = FILES.get(found[1]) if found else None
        if data is None:
            return self.reply(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        if not is_large(found[1]):
            return self.reply(200, {"X-Repo-Commit": COMMIT, "ETag": f'"{git_blob(data)}"'}, data)
        digest = hashlib.sha256(data).hexdigest()
        self.reply(302, {"X-Repo-Commit": COMMIT, "X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(data)),
                         "Location": f"{self.server.store}/{digest}"})

    def json(self, value, headers={}):
        self.reply(200, {"Content-Type": "application/json", **headers}, json.dumps(value).encode())

    @staticmethod
    def entry(name, data):
        entry = {"type": "file", "path": name, "size": len(data), "oid": git_blob(data)}
        if is_large(name):
            entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
        return entry


class Store(Handler):
    """Large files, by digest; `/plain` sends to where there is no TLS."""

    def do_GET(self):
        if self.path == "/plain":
            return self.reply(302, {"Location": f"http://localhost:{self.server.server_address[1]}/x"})
        data = {hashlib.sha256(data).hexdigest(): data for data in FILES.values()}.get(self.path.strip("/"))
        self.reply(*((200, {}, data) if data else (404, {})))


class Proxy(http.server.BaseHTTPRequestHandler):
    """A tunnel for whoever asks for one."""

    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        self.server.gets.append(self.path)
        host, port = self.path.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            while True:
                for ready in select.select([self.connection, there], [], [])[0]:
                    data = ready.recv(1 << 16)
                    if not data:
                        return
                    (there if ready is self.connection else self.connection).sendall(data)


def serve(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.gets, server.address = [], f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def environment(home, hub, **more):
    clean = {name: value for name, value in os.environ.items() if not re.match("(?i)HF_|.*_proxy$|TRANSFORMERS_|TORCH_", name)}
    return {**clean, "HF_HOME": str(home), "XDG_CACHE_HOME": str(home), "HF_ENDPOINT": hub.address, "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1", **more}


def fetch(arguments, env):
    return subprocess.run([FETCH, *arguments], env=env, text=True, capture_output=True)


def python(code, env):
    """What a fresh Python prints as JSON: its libraries read the environment once."""
    run = subprocess.run([sys.executable, "-c", f"import json\n{code}"], env=env, text=True, capture_output=True)
    if run.returncode:
        print(run.stderr, file=sys.stderr)
        return None
    return json.loads(run.stdout.splitlines()[-1])


def tree(home):
    """Every file of the model's cache that both must have: what it holds, or where it leads."""
    root = home / "hub/models--org--net"
    files = [path for path in root.rglob("*") if path.is_symlink() or path.is_file()]
    kept = [path for path in files if path.relative_to(root).parts[0] in ("blobs", "refs", "snapshots")]
    return {str(path.relative_to(root)): os.readlink(path) if path.is_symlink() else path.read_bytes() for path in kept}


def caches(scratch):
    store = serve(Store)
    hub = serve(Hub)
    hub.store = store.address
    ours, theirs = scratch / "ours", scratch / "theirs"

    run = fetch(["hf://org/net"], environment(ours, hub))
    check("fetch downloads a model", run.returncode == 0)
    offline = environment(ours, hub, HF_HUB_OFFLINE="1")
    found = python(f"""
import huggingface_hub as h
paths = [h.hf_hub_download("org/net", name) for name in {READ}]
paths += [h.hf_hub_download("org/net", name, revision="{COMMIT}", local_files_only=True) for name in {READ}]
print(json.dumps([h.snapshot_download("org/net"), paths]))""", offline)
    snapshot = run.stdout.strip()
    check("huggingface_hub finds the snapshot", found and found[0] == snapshot)
    check("and each of its files", found and found[1] == [f"{snapshot}/{name}" for name in READ] * 2)
    check("which have the right bytes", all((pathlib.Path(snapshot) / name).read_bytes() == FILES[name] for name in READ))
    scanned = python("""
import huggingface_hub as h
found = h.scan_cache_dir()
print(json.dumps([len(found.repos), [str(w) for w in found.warnings], sorted(f.file_name for r in found.repos for v in r.revisions for f in v.files)]))""", offline)
    check("its scan of the cache has no complaint", scanned == [1, [], READ])

    code = f"import huggingface_hub as h\nprint(json.dumps(h.snapshot_download('org/net', allow_patterns={READ})))"
    snapshot = python(code, environment(theirs, hub))
    check("huggingface_hub downloads the same model", snapshot is not None)
    check("both caches are the same, file by file and link by link", tree(ours) == tree(theirs))
    run = fetch(["hf://org/net", "--offline"], environment(theirs, hub))
    check("fetch --offline finds that snapshot", run.stdout.strip() == snapshot)
    before = (len(hub.gets), len(store.gets))
    run = fetch(["hf://org/net"], environment(theirs, hub))
    check("and downloads nothing of it again", run.returncode == 0 and (len(hub.gets) - 1, len(store.gets)) == before)

    # One file by Python, the rest by fetch.
    shared = scratch / "shared"
    python("import huggingface_hub as h\nprint(json.dumps(h.hf_hub_download('org/net', 'model.safetensors')))", environment(shared, hub))
    before = len(store.gets)
    run = fetch(["hf://org/net", "--include", "*.safetensors", "--include", "sub/*"], environment(shared, hub))
    check("a cache that both fill", run.returncode == 0 and len(store.gets) == before)
    again = python("import huggingface_hub as h\nprint(json.dumps(h.hf_hub_download('org/net', 'sub/folder/notes.txt')))",
                   environment(shared, hub, HF_HUB_OFFLINE="1"))
    check("folders too", again and pathlib.Path(again).read_bytes() == b"notes")


def locks(scratch):
    """While Python's library downloads a file, fetch waits for it."""
    from huggingface_hub.utils import WeakFileLock

    store = serve(Store)
    hub = serve(Hub)
    hub.store = store.address
    folder = scratch / "locked/hub/.locks/models--org--net"
    folder.mkdir(parents=True)
    digest = hashlib.sha256(FILES["model.safetensors"]).hexdigest()
    with WeakFileLock(folder / f"{digest}.lock"):
        running = subprocess.Popen([FETCH, "hf://org/net"], env=environment(scratch / "locked", hub), text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        first = running.stderr.readline()
        check("a lock of huggingface_hub's is waited for", "waiting for another run" in first and not store.gets)
    running.communicate()
    check("and then the file is downloaded", running.returncode == 0 and len(store.gets) == 1)


def torchvision_table():
    try:
        import torchvision
        from torchvision.models import get_model_weights, list_models
    except ImportError:
        print("skipped: torchvision's table, without torchvision")
        return
    theirs = {}
    for name in list_models(module=torchvision.models):
        for weights in get_model_weights(name):
            if weights.name in ("IMAGENET1K_V1", "IMAGENET1K_V2"):
                theirs[name, weights.name] = weights.url
    source = pathlib.Path("crates/published/src/torchvision.rs").read_text()
    ours = {}
    for name, first, second in re.findall(r'\("(\w+)", "([^"]+)", (?:Some\("([^"]+)"\)|None)\)', source):
        ours[name, "IMAGENET1K_V1"] = f"https://download.pytorch.org/models/{first}"
        if second:
            ours[name, "IMAGENET1K_V2"] = f"https://download.pytorch.org/models/{second}"
    check(f"torchvision's table has {len(theirs)} files, and so has ours", ours == theirs)


def torch_folder(scratch):
    hub = serve(Hub)
    for more in ({}, {"TORCH_HOME": str(scratch / "torch home")}):
        env = environment(scratch / "home", hub, **more)
        folder = python("import torch\nprint(json.dumps(torch.hub.get_dir()))", env)
        if folder is None:
            print("skipped: torch's cache, without torch")
            return
        path = pathlib.Path(folder) / "checkpoints/resnet18-f37072fd.pth"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"as torch has left it")
        run = fetch(["torchvision://resnet18", "--offline"], env)
        check(f"torch's own file is found {'in TORCH_HOME' if more else 'by default'}", run.stdout.strip() == str(path))


def tls(scratch):
    if not shutil.which("openssl"):
        print("skipped: TLS, without openssl")
        return
    key, certificate = scratch / "key.pem", scratch / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"],
                   check=True, capture_output=True)
    server, proxy, plain = serve(Store), serve(Proxy), serve(Store)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    port = server.server_address[1]
    digest = hashlib.sha256(FILES["config.json"]).hexdigest()
    source = f"https://localhost:{port}/{digest}#sha256={digest}"
    trusted = {"SSL_CERT_FILE": str(certificate)}

    def run(home, source, **more):
        return fetch([source], environment(scratch / home, plain, **more))

    told = run("a", source)
    check("a certificate that nobody vouches for is one line", told.returncode == 1 and told.stderr.count("\n") == 1
          and "cannot trust localhost" in told.stderr and "SSL_CERT_FILE" in told.stderr)
    told = run("b", source, **trusted)
    check("SSL_CERT_FILE vouches for it", told.returncode == 0 and pathlib.Path(told.stdout.strip()).read_bytes() == FILES["config.json"])
    told = run("c", source.replace("localhost", "127.0.0.1"), **trusted)
    check("but for its own name only", told.returncode == 1 and "cannot trust 127.0.0.1" in told.stderr)
    told = run("d", f"https://localhost:{port}/plain", **trusted)
    check("a redirect to http is not followed", told.returncode == 1 and "from https to http" in told.stderr)
    told = run("e", source, HTTPS_PROXY=proxy.address, **trusted)
    check("HTTPS_PROXY is used", told.returncode == 0 and proxy.gets == [f"localhost:{port}"])
    told = run("f", source, HTTPS_PROXY=proxy.address, NO_PROXY="localhost", **trusted)
    check("NO_PROXY is heeded", told.returncode == 0 and len(proxy.gets) == 1)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        caches(scratch)
        locks(scratch)
        torchvision_table()
        torch_folder(scratch)
        tls(scratch)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
