"""What an answer may do while it is checked: not for ever, not for good, and not loudly.

An answer is a learner's code and runs in the learner's own kernel. :func:`limited` ends what does
not end by itself, :func:`untouched` puts back what was changed, :func:`quiet` shortens what is
printed.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any

import numpy as np

LIMIT = 20.0
"""Seconds that one call of an answer may take."""
AGAIN = 0.1  # seconds until the next blow, should a bare ``except:`` have swallowed the last one
PAPER = 2000  # characters that an answer may print while it is checked


class Wrong(Exception):  # noqa: N818 - not an error of the program, but an answer
    """Raised inside a checker at the first thing that is wrong; its text is the hint."""


class TimeUp(BaseException):
    """Not an ``Exception``, so that an answer's own ``except Exception`` does not catch it."""


@contextlib.contextmanager
def limited(seconds: float | None = None) -> Iterator[None]:
    """Run an answer's own code: at most so many seconds, and it can not end the kernel.

    ``seconds``: :data:`LIMIT` where nothing is said; an answer that trains needs more.

    Raises :class:`Wrong` where the code takes too long, exits, or raises ``KeyboardInterrupt``
    itself (a real one, from the keyboard, passes). Its other exceptions pass.
    """
    clock = _alarm if _has_alarm() else _watchdog
    pressed = threading.Event()
    most = LIMIT if seconds is None else seconds
    try:
        with _keyboard(pressed), clock(most):
            yield
    except TimeUp:
        raise Wrong(
            f"your code was still running after {most:g} seconds and was stopped. Does a loop "
            "never end?"
        ) from None
    except SystemExit:
        raise Wrong(
            "your code calls exit, which would end the notebook. Take it out; a function ends "
            "with return."
        ) from None
    except (KeyboardInterrupt, GeneratorExit) as error:
        if pressed.is_set():
            raise
        raise Wrong(f"your code raises {type(error).__name__} itself. Mend that first.") from None


def _has_alarm() -> bool:
    """Whether a signal can stop the code: Python runs handlers in the main thread alone."""
    main = threading.current_thread() is threading.main_thread()
    return main and hasattr(signal, "setitimer")


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """By a timer of the operating system, which also ends a sleep; another's timer runs on."""
    active = True

    def ring(number: int, frame: FrameType | None) -> None:
        if active:
            raise TimeUp

    start = time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        active = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            passed = time.monotonic() - start
            signal.setitimer(signal.ITIMER_REAL, max(left - passed, 1e-3), interval)


@contextlib.contextmanager
def _watchdog(seconds: float) -> Iterator[None]:
    """By a second thread, where there is no alarm: it ends loops, though not a sleep."""
    thread = ctypes.c_ulong(threading.get_ident())
    done = threading.Event()

    def bite() -> None:
        pause = seconds
        while not done.wait(pause):
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(TimeUp))
            pause = AGAIN

    dog = threading.Thread(target=bite, daemon=True)
    dog.start()
    try:
        yield
    finally:
        done.set()
        dog.join()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)  # one on its way


@contextlib.contextmanager
def _keyboard(pressed: threading.Event) -> Iterator[None]:
    """Remember whether a ``KeyboardInterrupt`` came from the keyboard."""
    if threading.current_thread() is not threading.main_thread():  # the keyboard's never come here
        yield
        return
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        pressed.set()  # no telling: let it pass
        yield
        return

    def press(number: int, frame: FrameType | None) -> None:
        pressed.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def untouched(answer: Any) -> Iterator[None]:
    """Put back whatever a check or an answer changes behind the learner's back.

    The random states and defaults of NumPy, Python, PyTorch and Keras; of a model its weights,
    running statistics and training mode.
    """
    import torch

    with contextlib.ExitStack() as stack:
        stack.enter_context(np.errstate(all="ignore"))
        stack.enter_context(np.printoptions())
        stack.enter_context(warnings.catch_warnings())
        back = stack.callback
        back(sys.setrecursionlimit, sys.getrecursionlimit())
        back(np.random.set_state, np.random.get_state())  # noqa: NPY002 - the learner's own state
        back(random.setstate, random.getstate())
        back(torch.set_rng_state, torch.get_rng_state())
        back(torch.set_default_dtype, torch.get_default_dtype())
        back(_set_device, torch.get_default_device())
        back(torch.set_grad_enabled, torch.is_grad_enabled())
        if isinstance(answer, torch.nn.Module):
            for module in answer.modules():
                back(setattr, module, "training", module.training)
            for tensor in (*answer.parameters(), *answer.buffers()):
                if not torch.nn.parameter.is_lazy(tensor):
                    back(tensor.data.copy_, tensor.detach().clone())
        if keras := sys.modules.get("keras"):
            import tensorflow as tf

            back(keras.config.set_floatx, keras.config.floatx())
            back(keras.config.set_epsilon, keras.config.epsilon())
            back(keras.config.set_image_data_format, keras.config.image_data_format())
            back(keras.config.set_dtype_policy, keras.config.dtype_policy())
            back(tf.config.run_functions_eagerly, tf.config.functions_run_eagerly())
            for variable in getattr(answer, "variables", ()):
                back(variable.assign, np.array(variable))
        yield


def _set_device(device: Any) -> None:
    """Back to this default, but only if it was changed: a default slows every call down."""
    import torch

    if torch.get_default_device() != device:
        torch.set_default_device(None if device.type == "cpu" else device)


class _Paper(io.StringIO):
    """Takes the first :data:`PAPER` characters."""

    left_out = 0

    def write(self, text: str) -> int:
        room = max(PAPER - self.tell(), 0)
        self.left_out += len(text[room:])
        super().write(text[:room])
        return len(text)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hand on what is printed, but not more than anybody reads."""
    paper = _Paper()
    try:
        with contextlib.redirect_stdout(paper), contextlib.redirect_stderr(paper):
            yield
    finally:
        print(paper.getvalue(), end="")
        if paper.left_out:
            print(f"\n[... and {paper.left_out:,} characters more that your code printed]")
