"""Arguments of commands that train with Lightning: on what."""

import argparse
from dataclasses import fields

from recognizer.training.loop import Hardware
from recognizer.training.number_arguments import count

_SHOWN_BY_FLAG = ("progress", "logs", "checkpoint_steps")


def add_hardware(parser: argparse.ArgumentParser) -> None:
    """Lightning's own flags."""
    parser.add_argument("--accelerator", default="auto", help="auto, cpu, gpu")
    parser.add_argument("--devices", default="1", help="how many, auto, or GPUs as 0,1")
    parser.add_argument("--num-nodes", type=count, default=1)
    parser.add_argument("--strategy", default="auto", help="of Lightning: ddp for several devices")
    parser.add_argument("--precision", default="auto", help="bf16-mixed where it is fast, else 32-true")
    parser.add_argument("--progress", action="store_true", help="show a progress bar")


def hardware_of(options: argparse.Namespace) -> Hardware:
    """What add_hardware's flags say."""
    named = [field.name for field in fields(Hardware) if field.name not in _SHOWN_BY_FLAG]
    return Hardware(**{name: getattr(options, name) for name in named}, progress=options.progress)
