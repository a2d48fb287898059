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

from choreodb.refiner.denoiser.network import CONDITIONS, Conditions, Network, NetworkConfig
from choreodb.refiner.denoiser.precondition import Model, predicts_signal

if TYPE_CHECKING:
    from choreodb.indexer.encoders.weights import Weights
    from choreodb.refiner.denoiser.refine import Given


class Runner:
    """The network of `weights`, ready to be asked."""

    def __init__(self, weights: Weights) -> None:
        told = weights.card["config"]
        try:
            config = NetworkConfig(
                **{name: told[name] for name in ("width", "levels", "tokens", "heads", "embedding")},
                styles=tuple(str(style) for style in told["styles"]),
            )
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
        self.network = network.eval()
        self.styles = config.styles
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network.to(self.device)
        # bf16 pays where the hardware multiplies it; elsewhere it is emulated and slower
        self.half = self.device.type == "cuda" or bool(getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)())

    def denoise(self, noisy: npt.NDArray[np.float32], time: float, given: Given) -> npt.NDArray[np.float32]:
        """Clean windows of noisy ones, with all conditions that are there."""
        return self._ask(noisy, time, self._conditions(given))

    def denoise_blind(self, noisy: npt.NDArray[np.float32], time: float, given: Given) -> npt.NDArray[np.float32]:
        """The same from the known frames alone."""
        return self._ask(noisy, time, self._conditions(given).without())

    def _ask(self, noisy: npt.NDArray[np.float32], time: float, given: Conditions) -> npt.NDArray[np.float32]:
        rows = len(noisy)

        def network(windows: Any, level: float, _: float) -> Any:
            levels = torch.full((rows,), level, device=self.device)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
                return self.network(windows, levels, given)

        model: Model = predicts_signal(network)
        with torch.inference_mode():
            found = model(torch.from_numpy(np.ascontiguousarray(noisy, dtype=np.float32)).to(self.device), time)
        return np.asarray(found.float().cpu().numpy())

    def _conditions(self, given: Given) -> Conditions:
        def tensor(array: npt.NDArray[Any]) -> Any:
            return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

        has = np.ones((len(given.mask), len(CONDITIONS)), dtype=np.float32)
        has[:, CONDITIONS.index("music")] = np.abs(given.music).sum(axis=(1, 2)) > 0.0
        has[:, CONDITIONS.index("embedding")] = np.abs(given.embedding).sum(axis=1) > 0.0
        has[:, CONDITIONS.index("retrieved")] = (
            np.abs(given.retrieved * (1.0 - given.mask[..., None])).sum(axis=(1, 2)) > 0.0
        )
        has[:, CONDITIONS.index("style")] = given.style > 0
        return Conditions(
            tensor(given.music), tensor(given.embedding), tensor(given.retrieved),
            tensor(given.retrieved * given.mask[..., None]), tensor(given.mask), tensor(given.style), tensor(has),
        )  # fmt: skip
