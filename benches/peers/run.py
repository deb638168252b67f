#!/usr/bin/env python3
"""Our CPU engine and what a user would run instead, in turn, in one run; prints ratios of medians.

    .venv/bin/python benches/peers/run.py --models resnet18,vgg16 [--batch 16] [--threads 2] [--rounds 5] [--peers onnxruntime,ncnn]

The peers' own programs are ../shared/bench/peers.py; without it (or without a peer's package) they say 'skipped'. Each
peer compiles its model once, in a process of its own, and waits; every round then times ours and each peer once, a few
passes each. Figures are images/s, medians over the rounds, and the ratio is ours over the best peer's. All compute in
f32: OpenVINO is told so, as it takes bf16 by itself where the processor has it. --bf16 leaves it its way, has ncnn store bf16,
and allows the peers torch_bf16 and torch_bf16_compiled; --precision bf16 is ours.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PEERS = ROOT.parent / "shared/bench/peers.py"
# What the peers' script calls a network, and what the zoo does, at which size.
OURS = {
    "vit_small": ("vit_small_patch14_dinov2", 224),
    "dinov2_518": ("vit_small_patch14_dinov2", 518),
    "vit_base": ("vit_base_patch16_224", 224),
}
WORKER = """
import importlib.util, statistics, sys, time
path, peer, model, threads, batch, passes, bf16 = sys.argv[1:]
spec = importlib.util.spec_from_file_location("peers", path)
sys.argv = [path]
peers = importlib.util.module_from_spec(spec)
peers.__dict__["__name__"] = "peers"
source = open(path).read()
if bf16 == "1":
    # What it runs on a card runs here; ncnn stores bf16.
    for old, new in [("= o.use_bf16_storage = False", "= False; o.use_bf16_storage = True"), ("peer in GPU_PEERS", "False")]:
        assert old in source, "the peers' script has changed: " + old
        source = source.replace(old, new)
exec(compile(source[: source.rindex("\\nmain()")], path, "exec"), peers.__dict__)
def serve(infer, rounds, sync=lambda: None):
    infer(); infer(); sync()
    print("ready", flush=True)
    for _ in sys.stdin:
        # Not timed: caches are those of whoever ran before. Ours has such a pass as well.
        infer(); sync()
        times = []
        for _ in range(int(passes)):
            start = time.perf_counter(); infer(); sync(); times.append(time.perf_counter() - start)
        print("images/s", int(batch) / statistics.median(times), flush=True)
    raise SystemExit
peers.median = serve
if peer == "openvino" and bf16 == "0":
    import openvino
    compile_model = openvino.Core.compile_model
    openvino.Core.compile_model = lambda self, path, device, config: compile_model(
        self, path, device, {**config, "INFERENCE_PRECISION_HINT": "f32"})
class Options: pass
options = Options()
options.threads, options.batch, options.rounds = int(threads), int(batch), 1
peers.run(peer, model, options)
"""


class Peer:
    """A process that has compiled one model and waits to be timed."""

    def __init__(self, name, model, args):
        arguments = [str(PEERS), name, model, str(args.threads), str(args.batch), str(args.passes), str(int(args.bf16))]
        environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
        # A pipe that nobody reads fills up, and converters say much.
        self.said = tempfile.TemporaryFile("w+")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments], stdin=pipe, stdout=pipe, stderr=self.said, text=True, env=environment)
        self.name, self.model = name, model

    def ready(self):
        return self.answer("ready") is not None

    def time(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(self.answer("images/s"))

    def answer(self, word):
        for line in self.process.stdout:
            if line.startswith(word):
                return line.split()[-1]
        self.said.seek(0)
        last = (self.said.read().strip().splitlines() or ["said nothing"])[-1]
        if "ModuleNotFoundError" not in last:
            sys.exit(f"{self.name} failed on {self.model}: {last}")
        return None

    def end(self):
        self.process.kill()
        self.process.wait()


def ours(model, args):
    name, size = OURS.get(model, (model, 224))
    command = ["cargo", "bench", "--quiet", "--workspace", "--bench", "networks", "--", name, "--size", str(size)]
    command += ["--threads", str(args.threads), "--batch", str(args.batch), "--rounds", str(args.passes)]
    command += ["--precision", args.precision]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return float(out.split(": ")[1].split(" ")[0]), float(out.split(" of the peak")[0].split(" ")[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="resnet18,vgg16,resnet50,mobilenet_v2,efficientnet_b0,convnext_tiny,vit_small,dinov2_518")
    parser.add_argument("--peers", default="torch,torch_channels_last,onnxruntime,openvino,ncnn")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--passes", type=int, default=3, help="timed passes of each in a round")
    parser.add_argument("--bf16", action="store_true", help="peers in bf16, see above")
    parser.add_argument("--precision", default="f32", help="ours: f32 or bf16")
    args = parser.parse_args()
    names = args.peers.split(",") if PEERS.exists() else []
    if not names:
        print(f"skipped: no `{PEERS}`")
    print(f"batch {args.batch}, {args.threads} threads, images/s, medians of {args.rounds} rounds of {args.passes} passes")
    for model in args.models.split(","):
        # One after the other: compiling on all cores at once would only be slower.
        peers = []
        for name in names:
            peer = Peer(name, model, args)
            if peer.ready():
                peers.append(peer)
        rates = {"ours": [], **{peer.name: [] for peer in peers}}
        shares = []
        for _ in range(args.rounds):
            rate, share = ours(model, args)
            rates["ours"].append(rate)
            shares.append(share)
            for peer in peers:
                theirs = peer.time()
                # What a converter has broken returns at once.
                rates[peer.name].append(theirs if theirs < 50 * rate else 0.0)
        for peer in peers:
            peer.end()
        medians = {name: statistics.median(seen) for name, seen in rates.items()}
        line = ", ".join(f"{name} {rate:.2f}" for name, rate in medians.items())
        line += "".join(f", {name} skipped" for name in names if name not in medians)
        best = max((rate for name, rate in medians.items() if name != "ours"), default=None)
        ratio = f"; {medians['ours'] / best:.2f} times the best" if best else ""
        print(f"{model}: {line}{ratio}; {statistics.median(shares):.2f} of our measured peak", flush=True)


main()
