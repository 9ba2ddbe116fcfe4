"""Types of the qopt package; what things do is said in __init__.py."""
import os
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
import numpy.typing as npt

from .errors import (DataError as DataError, Error as Error,
                     InternalError as InternalError,
                     MissingToolError as MissingToolError,
                     ModelError as ModelError, ResourceError as ResourceError,
                     UnsupportedError as UnsupportedError,
                     UsageError as UsageError)

Array = npt.NDArray[Any]
Spec = Tuple[str, np.dtype[Any], Tuple[int, ...]]
Path = Union[str, os.PathLike[str]]
Sample = Union[npt.ArrayLike, Sequence[npt.ArrayLike],
               Mapping[str, npt.ArrayLike]]

Data = Union[Path, Sequence[Path], Iterable[Sample]]
Pre = Union[str, Sequence[str]]
Layers = Union[Sequence[Mapping[str, str]], Mapping[str, Mapping[str, str]]]

class Profile:
    @property
    def samples(self) -> int: ...
    def merge(self, other: Profile) -> None: ...
    def to_json(self) -> str: ...
    @staticmethod
    def from_json(text: str) -> Profile: ...

class Model:
    @property
    def inputs(self) -> List[Spec]: ...
    @property
    def outputs(self) -> List[Spec]: ...
    def to_mlir(self) -> str: ...
    def save(self, path: Path) -> None: ...
    @property
    def recipe(self) -> Optional[Dict[str, Any]]: ...
    @property
    def profile(self) -> Optional[Profile]: ...
    @property
    def messages(self) -> List[str]: ...
    def reference(self) -> Program: ...

class Program:
    @property
    def inputs(self) -> List[Spec]: ...
    @property
    def outputs(self) -> List[Spec]: ...
    @property
    def input_names(self) -> List[str]: ...
    def run_list(self, *inputs: Any, **keywords: npt.ArrayLike) -> List[Array]: ...
    def run(self, *inputs: Any, **keywords: npt.ArrayLike) -> Dict[str, Array]: ...
    def __call__(self, *inputs: Any, **keywords: npt.ArrayLike
                 ) -> Union[Array, Tuple[Array, ...]]: ...
    def save(self, stem: Union[str, os.PathLike[str]]) -> None: ...

class Calibrator:
    model: Model
    def __init__(self, model: Model) -> None: ...
    def feed(self, data: Iterable[Sample]) -> Calibrator: ...
    def finish(self) -> Profile: ...

def load(model: Any, shapes: Optional[Mapping[str, Sequence[int]]] = ...,
         dims: Optional[Mapping[str, int]] = ...,
         constants: Optional[Mapping[str, npt.ArrayLike]] = ...,
         seed: int = ...) -> Model: ...
def calibrate(model: Model, data: Iterable[Sample], per_channel: bool = ...,
              per_sample: bool = ..., reference: bool = ...) -> Profile: ...
def quantize(model: Model, profile: Optional[Profile] = ...,
             scheme: Optional[str] = ..., method: Optional[str] = ...,
             data: Optional[Data] = ..., *,
             recipe: Optional[Mapping[str, Any]] = ..., pre: Pre = ...,
             target_requantize: str = ..., reference: bool = ...,
             resume: Optional[Path] = ...,
             weights: Optional[str] = ..., average_bits: Optional[float] = ...,
             activations: Optional[str] = ..., rounding: Optional[str] = ...,
             transforms: Optional[str] = ...,
             bias_correction: Optional[bool] = ...,
             requantize: Optional[str] = ...,
             per_channel_acts: Optional[bool] = ...,
             samples: Optional[int] = ..., skip: Optional[int] = ...,
             layers: Optional[Layers] = ...,
             plan: Optional[Union[Plan, Mapping[str, Any]]] = ...
             ) -> Model: ...

class Plan:
    def __init__(self, text: str, costs: str = ...) -> None: ...
    @staticmethod
    def load(path: Path) -> Plan: ...
    @property
    def decisions(self) -> List[Dict[str, Any]]: ...
    def to_json(self) -> str: ...
    def costs_json(self) -> Optional[str]: ...
    def to_setting(self) -> Dict[str, Any]: ...
    def save(self, path: Path) -> None: ...

def plan(model: Model, data: Data, budget: Union[str, Sequence[str]],
         profile: Optional[Profile] = ..., *, pre: Pre = ...,
         state: Optional[Path] = ..., reference: bool = ...,
         resume: Optional[Path] = ...,
         pareto: Optional[int] = ...,
         formats: Optional[Union[str, Sequence[str]]] = ...,
         rounding: Optional[Union[str, Sequence[str]]] = ...,
         transforms: Optional[str] = ..., sensitivity: Optional[str] = ...,
         plan_samples: Optional[int] = ..., rounds: Optional[int] = ...,
         pin: Optional[Mapping[str, str]] = ...,
         tie: Optional[Sequence[Sequence[str]]] = ...,
         worst: Optional[float] = ..., cost: Optional[str] = ...,
         gap: Optional[float] = ..., node_limit: Optional[int] = ...,
         time_limit: Optional[float] = ..., target: Optional[str] = ...,
         method: Optional[str] = ...,
         per_channel_acts: Optional[bool] = ..., samples: Optional[int] = ...,
         skip: Optional[int] = ...) -> Plan: ...
def build(model: Model, output: Path, data: Optional[Data] = ...,
          profile: Optional[Profile] = ..., *, scheme: Optional[str] = ...,
          method: Optional[str] = ...,
          recipe: Optional[Mapping[str, Any]] = ..., pre: Pre = ...,
          reference: bool = ..., resume: Optional[Path] = ...,
          lock: Optional[Union[Path, Mapping[str, Any]]] = ...,
          emit: Optional[Union[str, Sequence[str]]] = ...,
          target: Optional[str] = ..., mcpu: Optional[str] = ...,
          integer_only: Optional[bool] = ..., outputs: Optional[str] = ...,
          clock: Optional[str] = ..., cycles: Optional[int] = ...,
          vectors: Optional[int] = ..., patches: Optional[str] = ...,
          symbol: Optional[str] = ...,
          opt_level: Optional[int] = ..., weights_file: Optional[bool] = ...,
          embed_weights: Optional[bool] = ...,
          bundle_weights: Optional[str] = ..., weights: Optional[str] = ...,
          average_bits: Optional[float] = ...,
          activations: Optional[str] = ..., rounding: Optional[str] = ...,
          transforms: Optional[str] = ...,
          bias_correction: Optional[bool] = ...,
          requantize: Optional[str] = ...,
          per_channel_acts: Optional[bool] = ...,
          samples: Optional[int] = ..., skip: Optional[int] = ...,
          layers: Optional[Layers] = ...,
          plan: Optional[Union[Plan, Mapping[str, Any]]] = ...
          ) -> List[str]: ...
def compile(model: Model, symbol: str = ..., threads: int = ...,
            opt_level: int = ..., requantize: str = ...) -> Program: ...
def compile_onnx(model: Any,
                 shapes: Optional[Mapping[str, Sequence[int]]] = ...,
                 dims: Optional[Mapping[str, int]] = ...,
                 constants: Optional[Mapping[str, npt.ArrayLike]] = ...
                 ) -> Program: ...
def evaluate(program: Program, data: Iterable[Sample],
             labels: Iterable[int]) -> float: ...
