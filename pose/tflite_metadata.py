"""Gives a TFLite model the metadata that MediaPipe Tasks asks for, without moving the model's own bytes.

Re-serialising a model would lose the 16-byte alignment of its weights, so what is new is appended to the file and
two offsets of the old part are turned to it. Field numbers follow tensorflow/lite/schema/schema.fbs (Model, Buffer,
Metadata) and the schema in mediapipe.tasks.metadata.
"""

import flatbuffers  # type: ignore[import-untyped]
from flatbuffers.number_types import Int32Flags, Uint32Flags, UOffsetTFlags  # type: ignore[import-untyped]
from flatbuffers.table import Table  # type: ignore[import-untyped]

METADATA_NAME = b"TFLITE_METADATA"
_ALIGNMENT = 16

# Positions of the fields in their tables.
_MODEL_BUFFERS = 4
_MODEL_METADATA_BUFFER = 5  # deprecated list of buffer numbers that nothing reads
_MODEL_METADATA = 6
_MODEL_FIELDS = 8
_METADATA_NAME = 0
_METADATA_BUFFER = 1
_BUFFER_DATA = 0


def image_landmark_metadata(outputs: tuple[str, ...]) -> bytes:
    """Metadata of a model that takes one RGB image scaled to 0..1 and gives the named outputs.

    The Tasks graph refuses a model whose input has no NormalizationOptions; mean 0 and deviation 255 map bytes to 0..1.
    """
    from mediapipe.tasks.metadata import metadata_schema_py_generated as schema

    normalization = schema.NormalizationOptionsT()
    normalization.mean, normalization.std = [0.0], [255.0]
    unit = schema.ProcessUnitT()
    unit.optionsType = schema.ProcessUnitOptions.NormalizationOptions
    unit.options = normalization

    image = schema.ImagePropertiesT()
    image.colorSpace = schema.ColorSpaceType.RGB
    content = schema.ContentT()
    content.contentPropertiesType = schema.ContentProperties.ImageProperties
    content.contentProperties = image

    stats = schema.StatsT()
    stats.min, stats.max = [0.0], [1.0]
    tensor = schema.TensorMetadataT()
    tensor.name, tensor.content, tensor.processUnits, tensor.stats = "image", content, [unit], stats

    subgraph = schema.SubGraphMetadataT()
    subgraph.inputTensorMetadata = [tensor]
    subgraph.outputTensorMetadata = []
    for name in outputs:
        output = schema.TensorMetadataT()
        output.name = name
        subgraph.outputTensorMetadata.append(output)

    model = schema.ModelMetadataT()
    model.subgraphMetadata, model.minParserVersion = [subgraph], "1.0.0"
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"M001")
    return bytes(builder.Output())


def append_metadata(model: bytes, metadata: bytes) -> bytes:
    """The model with a TFLITE_METADATA entry that holds the metadata.

    The list of buffers cannot grow without being moved, so the metadata takes the number of the last buffer in the
    deprecated metadata_buffer list (a note on how the file was made). Raises ValueError where the model is no TFLite
    file, has metadata already or has no such buffer to give.
    """
    data = bytearray(model)
    if data[4:8] != b"TFL3":
        raise ValueError("not a TFLite model")
    root = _root(data)
    entries = _metadata_entries(root)
    if any(name == METADATA_NAME for name, _ in entries):
        raise ValueError("the model has metadata already")
    number = _take_note_buffer(root, {buffer for _, buffer in entries})

    data.extend(bytes(-len(data) % _ALIGNMENT))
    start = len(data)
    addition = bytearray(_addition([*entries, (METADATA_NAME, number)], metadata))
    new = _root(addition)
    data.extend(addition)
    data.extend(bytes(-len(data) % _ALIGNMENT))

    _point(data, _field(root, _MODEL_METADATA), start + _vector(new, _MODEL_METADATA) - 4)
    new_buffer = new.Indirect(_vector(new, _MODEL_BUFFERS))
    _point(data, _vector(root, _MODEL_BUFFERS) + 4 * number, start + new_buffer)
    return bytes(data)


def _root(data: bytearray) -> Table:
    return Table(data, int.from_bytes(data[:4], "little"))


def _field(table: Table, number: int) -> int:
    """Position of a field in the file."""
    offset = table.Offset(4 + 2 * number)
    if not offset:
        raise ValueError(f"the model lacks field {number}")
    return int(table.Pos + offset)


def _vector(table: Table, number: int) -> int:
    """Position of a vector's first element; its length stands in the four bytes before."""
    return int(table.Vector(_field(table, number) - table.Pos))


def _length(table: Table, number: int) -> int:
    return int(table.VectorLen(_field(table, number) - table.Pos))


def _metadata_entries(root: Table) -> list[tuple[bytes, int]]:
    """Name and buffer number of each metadata entry."""
    entries = []
    for i in range(_length(root, _MODEL_METADATA)):
        entry = Table(root.Bytes, root.Indirect(_vector(root, _MODEL_METADATA) + 4 * i))
        buffer = entry.Get(Uint32Flags, _field(entry, _METADATA_BUFFER))
        entries.append((bytes(entry.String(_field(entry, _METADATA_NAME))), buffer))
    return entries


def _take_note_buffer(root: Table, used: set[int]) -> int:
    """Remove the last number from the deprecated list of buffers and return it."""
    numbers, count = _vector(root, _MODEL_METADATA_BUFFER), _length(root, _MODEL_METADATA_BUFFER)
    if not count:
        raise ValueError("the model has no buffer to give to the metadata")
    number = int(root.Get(Int32Flags, numbers + 4 * (count - 1)))
    if number in used:
        raise ValueError("the model's last note is in use")
    root.Bytes[numbers - 4 : numbers] = (count - 1).to_bytes(4, "little")
    return number


def _addition(entries: list[tuple[bytes, int]], metadata: bytes) -> bytes:
    """A small Model with nothing but the metadata entries and one buffer; offsets inside it stay valid anywhere."""
    builder = flatbuffers.Builder(len(metadata) + 1024)
    content = builder.CreateByteVector(metadata)
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(_BUFFER_DATA, content, 0)
    buffers = _table_vector(builder, [builder.EndObject()])

    tables = []
    for name, number in entries:
        text = builder.CreateString(name.decode("ascii"))
        builder.StartObject(2)
        builder.PrependUOffsetTRelativeSlot(_METADATA_NAME, text, 0)
        builder.PrependUint32Slot(_METADATA_BUFFER, number, 0)
        tables.append(builder.EndObject())
    names = _table_vector(builder, tables)

    builder.StartObject(_MODEL_FIELDS)
    builder.PrependUOffsetTRelativeSlot(_MODEL_BUFFERS, buffers, 0)
    builder.PrependUOffsetTRelativeSlot(_MODEL_METADATA, names, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def _table_vector(builder: flatbuffers.Builder, tables: list[int]) -> int:
    builder.StartVector(UOffsetTFlags.bytewidth, len(tables), UOffsetTFlags.bytewidth)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return int(builder.EndVector())


def _point(data: bytearray, offset_at: int, target: int) -> None:
    """Turn the offset at a position to a target; offsets count from where they stand."""
    data[offset_at : offset_at + 4] = (target - offset_at).to_bytes(4, "little")
