"""Writes `src/accrete/v1` from the contract, with types and its comments, and what else the package is made with."""

import shutil
import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

HERE = Path(__file__).parent
PROTO = HERE.parent.parent / "proto"
OUTPUT = HERE / "src"


def main() -> None:
    """Generates everything anew."""
    package = OUTPUT / "accrete" / "v1"
    shutil.rmtree(package, ignore_errors=True)
    package.mkdir()
    sources = sorted(str(path) for path in (PROTO / "accrete" / "v1").glob("*.proto"))
    descriptors = package / "descriptors.binpb"
    tools = Path(sys.executable).parent
    plugins = [f"--plugin=protoc-gen-{name}={tools / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")]
    includes = [f"--proto_path={PROTO}", f"--proto_path={PROTO / 'third_party'}", f"--proto_path={WELL_KNOWN}"]
    outputs = [f"--{name}_out={OUTPUT}" for name in ("python", "grpc_python")]
    typed = [f"--{name}_out=quiet:{OUTPUT}" for name in ("mypy", "mypy_grpc")]
    arguments = [*plugins, *includes, *outputs, *typed, f"--descriptor_set_out={descriptors}", *sources]
    if protoc.main(["protoc", *arguments]) != 0:
        sys.exit("the contract could not be generated from")
    for empty in (path for path in package.glob("*_pb2_grpc.py") if "class " not in path.read_text()):
        empty.unlink()
        empty.with_suffix(".pyi").unlink()
    (package / "__init__.py").write_text(exports(FileDescriptorSet.FromString(descriptors.read_bytes())))
    descriptors.unlink()
    shutil.copy(HERE.parent / "service-config.json", OUTPUT / "accrete")


def exports(files: FileDescriptorSet) -> str:
    """A module that has every message and enum of the contract, whatever file it is in."""
    lines = ['"""The messages of the contract, from all its files."""', ""]
    for file in files.file:
        module = file.name.removesuffix(".proto").replace("/", ".") + "_pb2"
        values = [value.name for enum in file.enum_type for value in enum.value]
        names = [each.name for each in (*file.message_type, *file.enum_type)] + values
        lines += [f"from {module} import {name} as {name}" for name in sorted(names)]
    return "\n".join(lines) + "\n"


WELL_KNOWN = Path(protoc.__file__).parent / "_proto"

if __name__ == "__main__":
    main()
