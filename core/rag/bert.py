"""A BERT sentence encoder as an ONNX graph, written straight from its weights: no torch, no export, no file kept.

The operators are onnxruntime's own (com.microsoft), each of which does what its optimiser would otherwise have to find
and fuse: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Weights = Mapping[str, NDArray[Any]]

_OPSET, _IR = 17, 8
# Seven bits, not eight: products of an unsigned and a signed byte are added in pairs of 16 bits on processors without
# VNNI instructions, and would be cut off there (onnxruntime's documentation of quantisation, "reduce_range").
_LARGEST = 63


@dataclass(frozen=True, slots=True)
class Shape:
    """What the configuration of a BERT says; `dimension` is that of its vectors."""

    layers: int
    heads: int
    dimension: int
    epsilon: float


def session(weights: Weights, shape: Shape, int8: bool) -> InferenceSession:
    """A session on one thread, that of its caller: ids and mask (n, length) int32 -> "vectors" (n, dimension) float32.

    The vectors are the mean over the tokens under the mask, of unit length; "states" (n, length, dimension) are what
    the mean is taken of. Several threads may run it at a time.
    `int8` stores each matrix of a layer as bytes with a scale for each column, and multiplies bytes with bytes.
    """
    import onnxruntime

    graph = _Graph(int8)
    _encoder(graph, weights, shape)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    names = list(graph.weights)
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(graph.weights[name]) for name in names]
    # Given beside the graph and not in it: a protocol buffer would copy all of them, twice.
    options.add_external_initializers(names, values)
    return onnxruntime.InferenceSession(graph.model(shape), options, providers=["CPUExecutionProvider"])


def _encoder(graph: _Graph, weights: Weights, shape: Shape) -> None:
    x = _embeddings(graph, weights, shape)
    for number in range(shape.layers):
        x = _layer(graph, weights, shape, f"encoder.layer.{number}.", x)
    mask = graph.op("Unsqueeze", graph.op("Cast", "mask", to=1), graph.small("one", [1]))
    graph.op("Identity", x, outputs=["states"])
    # The sum and the mean point the same way, and only the direction is kept.
    total = graph.op("Squeeze", graph.op("MatMul", mask, x), "one")
    graph.op("LpNormalization", total, outputs=["vectors"], axis=-1, p=2)


def _embeddings(graph: _Graph, weights: Weights, shape: Shape) -> str:
    table = {name: weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")}
    words = graph.weight("words", table["word"])
    # There is one sentence, so its type is the same everywhere and can stand in the positions.
    positions = graph.weight("positions", table["position"] + table["token_type"][0])
    norm = _norm(graph, weights, "embeddings.LayerNorm")
    # It also tells the length of each text, which nothing here needs.
    made = ["embedded", "lengths"]
    given = ("ids", "", words, positions, "", *norm, "mask")
    return graph.own("EmbedLayerNormalization", *given, outputs=made, epsilon=shape.epsilon)


def _layer(graph: _Graph, weights: Weights, shape: Shape, at: str, x: str) -> str:
    attended = _attention(graph, weights, shape, f"{at}attention.self.", x)
    x = _joined(graph, weights, shape, f"{at}attention.output.", attended, x)
    inner = graph.dense(x, f"{at}intermediate", weights[f"{at}intermediate.dense.weight"])
    inner = graph.own("BiasGelu", inner, graph.weight(f"{at}gelu", weights[f"{at}intermediate.dense.bias"]))
    return _joined(graph, weights, shape, f"{at}output.", inner, x)


def _attention(graph: _Graph, weights: Weights, shape: Shape, at: str, x: str) -> str:
    parts = ("query", "key", "value")
    projected = [graph.dense(x, f"{at}{part}", weights[f"{at}{part}.weight"]) for part in parts]
    bias = graph.weight(f"{at}bias", np.concatenate([weights[f"{at}{part}.bias"] for part in parts]))
    return graph.own("MultiHeadAttention", *projected, bias, "mask", num_heads=shape.heads)


def _joined(graph: _Graph, weights: Weights, shape: Shape, at: str, x: str, before: str) -> str:
    """A dense layer, what was `before` it added, normalised."""
    x = graph.dense(x, at, weights[f"{at}dense.weight"])
    bias = graph.weight(f"{at}bias", weights[f"{at}dense.bias"])
    norm = _norm(graph, weights, f"{at}LayerNorm")
    return graph.own("SkipLayerNormalization", x, before, *norm, bias, epsilon=shape.epsilon)


def _norm(graph: _Graph, weights: Weights, at: str) -> tuple[str, str]:
    return graph.weight(f"{at}.weight", weights[f"{at}.weight"]), graph.weight(f"{at}.bias", weights[f"{at}.bias"])


@dataclass(slots=True)
class _Graph:
    """Nodes and weights so far. A value is known by the name of what made it."""

    int8: bool
    nodes: list[Any] = field(default_factory=list)
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)
    constants: list[Any] = field(default_factory=list)

    def weight(self, name: str, value: NDArray[Any]) -> str:
        self.weights[name] = np.ascontiguousarray(value)
        return name

    def small(self, name: str, value: list[int]) -> str:
        """A constant that onnxruntime must know while it works out the shapes."""
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.array(value, np.int64), name))
        return name

    def op(self, kind: str, *inputs: str, domain: str = "", outputs: list[str] | None = None, **attributes: Any) -> str:
        from onnx import helper

        made = outputs or [f"value{len(self.nodes)}"]
        self.nodes.append(helper.make_node(kind, list(inputs), made, domain=domain, **attributes))
        return made[0]

    def own(self, kind: str, *inputs: str, **attributes: Any) -> str:
        return self.op(kind, *inputs, domain="com.microsoft", **attributes)

    def dense(self, x: str, name: str, matrix: NDArray[np.float32]) -> str:
        """`x` times the matrix of a dense layer, which PyTorch keeps as (out, in)."""
        if not self.int8:
            return self.op("MatMul", x, self.weight(f"{name}.matrix", matrix.T))
        scales = np.abs(matrix.T).max(axis=0) / _LARGEST
        bytes_ = np.round(matrix.T / scales).astype(np.int8)
        given = self.weight(f"{name}.bytes", bytes_), self.weight(f"{name}.scales", scales)
        return self.own("DynamicQuantizeMatMul", x, *given)

    def model(self, shape: Shape) -> bytes:
        from onnx import TensorProto, helper

        placed = [_outside(name, value) for name, value in self.weights.items()]
        takes = [helper.make_tensor_value_info(name, TensorProto.INT32, ["n", "length"]) for name in ("ids", "mask")]
        gives = [
            helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", shape.dimension]),
            helper.make_tensor_value_info("states", TensorProto.FLOAT, ["n", "length", shape.dimension]),
        ]
        graph = helper.make_graph(self.nodes, "encoder", takes, gives, [*placed, *self.constants])
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid("com.microsoft", 1)]
        made: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=_IR).SerializeToString()
        return made


def _outside(name: str, value: NDArray[Any]) -> Any:
    """What the graph says of a weight that stands beside it."""
    from onnx import TensorProto, helper

    kind = helper.np_dtype_to_tensor_dtype(value.dtype)
    placed = TensorProto(name=name, data_type=kind, dims=value.shape, data_location=TensorProto.EXTERNAL)
    placed.external_data.add(key="location", value="beside")
    return placed
