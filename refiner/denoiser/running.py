"""Running a trained network: arrays of numpy in and out, on one thread, in bf16 where the processor has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choreodb.errors import MissingExtraError, QueryError

try:
    import torch
except ImportError:
    raise MissingExtraError("refining with a network needs torch; run `pip install 'choreodb[torch]'`") from None

from choreodb.refiner.denoiser import device as devices
from choreodb.refiner.denoiser.network import CONDITIONS, Conditions, Network, NetworkConfig
from choreodb.refiner.denoiser.precondition import Model, predicts_signal

if TYPE_CHECKING:
    from choreodb.indexer.encoders.weights import Weights
    from choreodb.refiner.denoiser.denoiser import Given


class Runner:
    """The network of `weights`, ready to be asked. half: in bf16; None where the hardware multiplies it."""

    def __init__(self, weights: Weights, device: str = "auto", half: bool | None = None) -> None:
        told = weights.card["config"]
        try:
            config = NetworkConfig.of_card(told)
            network = Network(config)
            arrays = {
                name[4:]: torch.from_numpy(np.array(value, dtype=np.float32))
                for name, value in weights.tensors.items()
                if name.startswith("net.")
            }
            network.load_state_dict(arrays)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            line = " ".join(str(error).split())[:200]
            raise QueryError(
                f"weights {weights.name!r} do not fit what their card says of the network: {line}"
            ) from None
        self.device = devices.pick(device)
        self.network = network.eval().to(self.device)
        self.styles = config.styles
        self.half = devices.multiplies_bf16(self.device) if half is None else half

    def denoise(self, noisy: npt.NDArray[np.float32], time: float, given: Given) -> npt.NDArray[np.float32]:
        """Clean changes of noisy ones, with all conditions that are there."""
        return self._ask(noisy, time, self._conditions(given))

    def denoise_blind(self, noisy: npt.NDArray[np.float32], time: float, given: Given) -> npt.NDArray[np.float32]:
        """The same from the motion alone."""
        return self._ask(noisy, time, self._conditions(given).without())

    def _ask(self, noisy: npt.NDArray[np.float32], time: float, given: Conditions) -> npt.NDArray[np.float32]:
        rows = len(noisy)

        def network(changes: Any, level: float, _: float) -> Any:
            levels = torch.full((rows,), level, device=self.device)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
                return self.network(changes, levels, given)

        model: Model = predicts_signal(network)
        with torch.inference_mode():
            found = model(torch.from_numpy(np.array(noisy, dtype=np.float32)).to(self.device), time)
        return np.asarray(found.float().cpu().numpy())

    def _conditions(self, given: Given) -> Conditions:
        def tensor(array: npt.NDArray[Any]) -> Any:
            return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

        has = np.ones((len(given.free), len(CONDITIONS)), dtype=np.float32)
        has[:, CONDITIONS.index("music")] = np.abs(given.music).sum(axis=(1, 2)) > 0.0
        has[:, CONDITIONS.index("embedding")] = np.abs(given.embedding).sum(axis=1) > 0.0
        has[:, CONDITIONS.index("retrieved")] = given.retrieved
        has[:, CONDITIONS.index("known")] = (given.free == 0.0).any(axis=1)
        has[:, CONDITIONS.index("style")] = given.style > 0
        return Conditions(
            tensor(given.seen), tensor(given.free), tensor(given.music), tensor(given.embedding), tensor(given.style), tensor(has)
        )  # fmt: skip
