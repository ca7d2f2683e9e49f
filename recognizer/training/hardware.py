"""Arguments of commands that train with Lightning: the hardware to train on."""

import argparse

from pose.number_arguments import count
from recognizer.training.loop import Hardware


def add_hardware(parser: argparse.ArgumentParser) -> None:
    """Settings of Lightning's Trainer, and whether a progress bar is shown."""
    parser.add_argument("--accelerator", default="auto", help="auto, cpu, gpu")
    parser.add_argument("--devices", default="1", help="how many, auto, or GPUs as 0,1")
    parser.add_argument("--num-nodes", type=count, default=1)
    parser.add_argument("--strategy", default="auto", help="of Lightning: ddp for several devices")
    parser.add_argument("--precision", default="auto", help="bf16-mixed where it is fast, else 32-true")
    parser.add_argument("--progress", action="store_true", help="show a progress bar")


def hardware_of(options: argparse.Namespace) -> Hardware:
    """The hardware of the parsed arguments of add_hardware."""
    return Hardware(
        accelerator=options.accelerator,
        devices=options.devices,
        num_nodes=options.num_nodes,
        strategy=options.strategy,
        precision=options.precision,
        progress=options.progress,
    )
