"""Texts as vectors by ONNX Runtime, which encodes faster on a CPU than torch does."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ospo.errors import InputError
from ospo.search.encoder import Encoder
from ospo.storage import whole
from owen_core.optional import needs

with needs("onnx", "encoding by ONNX Runtime"):
    import onnxruntime
    import onnxscript  # what torch exports with
    from onnxruntime.capi.onnxruntime_pybind11_state import (
        Fail,
        InvalidArgument,
        InvalidGraph,
        InvalidProtobuf,
    )
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

logger = logging.getLogger(__name__)

VERSION = 1  # of the exported graphs; raise it when the same model gives another graph
TOLERANCE = 1e-4  # by which a number of a vector may differ from torch's, in single precision
LEAST_COSINE = 0.9  # between a text's vector in 8 bits and torch's
CHECKED = [
    "",
    "lamp",
    "gaming laptop",
    "USB-C hub, 7 in 1",
    "Größe Ω 灯 — ½ π",
    "running shoes for wide feet, red or blue, not leather",
    "portable computer " * 40,
]


class OnnxEncoder(Encoder):
    """Turns texts into vectors as :class:`Encoder` does, with the transformer in ONNX Runtime.

    Prompts, pooling and normalisation stay those of the folder. The transformer is exported once,
    and its vectors are compared with torch's every time before it is used.

    A text has the same vector whatever it is encoded with, and with any number of threads: only
    texts of equal length share a batch, so nothing is padded, and in 8 bits, where a batch shares
    the scale of its numbers, each text is encoded alone. In contrast to :class:`Encoder`, the last
    digits depend on the instructions of the processor, so the fingerprint names those too.

    Parameters
    ----------
    folder : Path
        As for :class:`Encoder`.
    cache_dir : Path, optional
        Where the exported transformer is kept.
    int8 : bool
        Whether weights and activations are rounded to 8 bits, by the batch. Vectors are then some
        0.01 away by cosine: this is another retriever, and not a faster one with the same results.

    Attributes
    ----------
    fingerprint : str
        Names everything that changes a vector.
    cosine : float
        The least between a vector and torch's, over texts of all lengths.

    Raises
    ------
    InputError
        The model is none that can be exported, or its vectors are not torch's.

    Examples
    --------
    >>> from ospo.search.encoder import minilm_folder
    >>> encoder = OnnxEncoder(minilm_folder())
    >>> laptop, computer, hose = encoder.encode_queries(["laptop", "portable computer", "hose"])
    >>> bool(laptop @ computer > laptop @ hose), bool(encoder.cosine > 1 - 1e-7)
    (True, True)
    """

    def __init__(self, folder: Path, cache_dir: Path | None = None, *, int8: bool = False) -> None:
        super().__init__(folder, device="cpu")
        transformer: Any = self._model[0]
        if not isinstance(getattr(transformer, "model", None), torch.nn.Module):
            raise InputError(
                f"the model in {folder} begins with {type(transformer).__name__}, and only a "
                "transformer can be exported to ONNX: leave onnx out"
            )
        expected = self.encode_queries(CHECKED)
        inputs = transformer.preprocess(CHECKED)
        settings = f"{VERSION} {int8} {torch.__version__} {onnxscript.__version__}"
        key = hashlib.sha256(f"{settings} {self.fingerprint}".encode()).hexdigest()[:20]
        with TemporaryDirectory() if cache_dir is None else nullcontext(cache_dir) as kept:
            path = Path(kept) / f"onnx-{key}.onnx"
            if not path.exists():
                try:
                    _export(transformer.model.float(), inputs, path, int8=int8)
                except torch.onnx.OnnxExporterError as error:
                    raise InputError(
                        f"the model in {folder} cannot be exported to ONNX "
                        f"({str(error).splitlines()[0]}): leave onnx out"
                    ) from error
            graph = Graph(path, transformer.config, alone=int8)
        transformer.model = graph
        processor = torch.backends.cpu.get_cpu_capability()
        self.fingerprint = f"onnx {key} {onnxruntime.__version__} {processor}"
        self.cosine = self._compare(expected, inputs, graph, int8=int8)

    def _compare(
        self, expected: NDArray[np.float64], inputs: Any, graph: Graph, *, int8: bool
    ) -> float:
        """Return the least cosine with torch's vectors, and refuse those that are others."""
        found = self.encode_queries(CHECKED)
        cosine = float((found * expected).sum(axis=1).min())
        logger.info("cosine of ONNX and torch vectors: %.6f at least", cosine)
        if int8:
            if not cosine >= LEAST_COSINE:
                raise InputError(
                    f"the model in {self.folder} does not bear 8 bits (a cosine of {cosine:.3f} "
                    "to its own vectors): use onnx"
                )
            return cosine
        seen = inputs["attention_mask"].bool()
        padding = (graph.run(inputs) - graph(**inputs)["last_hidden_state"])[seen].abs().max()
        difference = max(float(padding), float(np.abs(found - expected).max()))
        if not difference <= TOLERANCE:
            raise InputError(
                f"the model in {self.folder} has other vectors in ONNX than in torch, by "
                f"{difference:.2g}: leave onnx out"
            )
        return cosine


class Graph(torch.nn.Module):
    """A transformer in ONNX Runtime, in place of the one of a sentence-transformers model.

    Parameters
    ----------
    path : Path
        Of the exported graph.
    config : transformers.PretrainedConfig
        Of the transformer, which sentence-transformers looks at.
    alone : bool
        Whether each text is encoded alone, rather than with those of its length.

    Raises
    ------
    InputError
        The file is damaged.
    """

    def __init__(self, path: Path, config: Any, *, alone: bool) -> None:
        super().__init__()
        self.config = config
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self.session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf) as error:
            raise InputError(
                f"the stored model {path} is damaged; delete the file and it is exported again"
            ) from error
        self.names = [each.name for each in self.session.get_inputs()]
        self.alone = alone

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        """Return the states of each token, ``(texts, tokens, d)``, 0 where a text is padded."""
        seen = inputs["attention_mask"].bool()
        lengths = seen.sum(dim=1)
        rows = torch.arange(len(seen)) if self.alone else lengths
        states = torch.zeros(*seen.shape, self.config.hidden_size, dtype=torch.float64)
        for batch in set(rows[lengths > 0].tolist()):
            among = rows == batch
            its = seen & among[:, None]
            part = self.run(
                {name: inputs[name][its].reshape(int(among.sum()), -1) for name in self.names}
            )
            states[its] = part.flatten(0, 1)
        return {"last_hidden_state": states}

    def run(self, inputs: dict[str, Tensor]) -> Tensor:
        """Return the states of a batch as it is, padded or not."""
        (states,) = self.session.run(None, {name: inputs[name].numpy() for name in self.names})
        return torch.from_numpy(states).double()


class _States(torch.nn.Module):
    """What is exported: some inputs of a transformer to its last hidden states."""

    def __init__(self, model: torch.nn.Module, names: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.names = names

    def forward(self, *inputs: Tensor) -> Tensor:
        states: Tensor = self.model(**dict(zip(self.names, inputs, strict=True))).last_hidden_state
        return states


def _export(model: torch.nn.Module, inputs: Any, path: Path, *, int8: bool) -> None:
    """Write the graph of a model, for any number of texts and tokens."""
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in inputs]
    sizes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}  # texts, tokens
    with whole(path) as draft, _quiet():
        program: Any = torch.onnx.export(
            _States(model, names).eval(),
            tuple(inputs[name] for name in names),
            input_names=names,
            dynamic_shapes=(tuple(sizes for _ in names),),
            dynamo=True,
            verbose=False,
        )
        if not int8:
            program.save(draft)
            return
        graph = program.model_proto
        add_pre_process_metadata(graph)  # torch has folded its constants already
        # 7 bits a weight: without newer instructions, sums of 8 bits by 8 would overflow.
        quantize_dynamic(
            graph, draft, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what the exporter says to those who maintain it."""
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        exporter.setLevel(level)
