"""A real llama.cpp server with a model that knows nothing: `python llama.py MODEL.gguf` writes the model,
serves it on a free port of this machine, says its address, and ends with whoever started it.

The model is made here, of random numbers from a fixed seed. What it says means nothing; which characters
it likes is set (LIKES), so that an answer within a grammar is short. Only what needs no meaning is proved
with it: the prefix cache and its counts, and that a grammar is kept to.
"""

import os
import random
import struct
import sys
import time
from array import array

SEED = 20261121
WIDTH, HEADS, FEED, LAYERS, CONTEXT = 64, 4, 192, 2, 8192
# What it says where it may, most liked first: an object rather than null, null rather than a text, 0
# rather than another number, and what ends a value rather than what goes on with it.
LIKES = '{n"},0:[]'
TEMPLATE = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant: "
UNSIGNED, FLOAT, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9
INTEGERS = 5
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6


def tokens():
    """Pieces with their kinds: three special ones, each byte, each printable character."""
    yield from [("<unk>", UNKNOWN), ("<s>", CONTROL), ("</s>", CONTROL)]
    yield from ((f"<0x{byte:02X}>", BYTE) for byte in range(256))
    yield ("\u2581", NORMAL)
    yield from ((chr(code), NORMAL) for code in range(0x21, 0x7F))


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind, content):
    if kind == STRING:
        return string(content)
    if kind == ARRAY:
        inner, items = content
        return struct.pack("<IQ", inner, len(items)) + b"".join(value(inner, item) for item in items)
    return struct.pack({UNSIGNED: "<I", INTEGERS: "<i", FLOAT: "<f", BOOL: "<?"}[kind], content)


def settings(pieces):
    return {
        "general.architecture": (STRING, "llama"),
        "general.name": (STRING, "nothing"),
        "llama.context_length": (UNSIGNED, CONTEXT),
        "llama.embedding_length": (UNSIGNED, WIDTH),
        "llama.block_count": (UNSIGNED, LAYERS),
        "llama.feed_forward_length": (UNSIGNED, FEED),
        "llama.rope.dimension_count": (UNSIGNED, WIDTH // HEADS),
        "llama.attention.head_count": (UNSIGNED, HEADS),
        "llama.attention.head_count_kv": (UNSIGNED, HEADS),
        "llama.attention.layer_norm_rms_epsilon": (FLOAT, 1e-5),
        "tokenizer.ggml.model": (STRING, "llama"),
        "tokenizer.ggml.tokens": (ARRAY, (STRING, [piece for piece, _ in pieces])),
        "tokenizer.ggml.scores": (ARRAY, (FLOAT, [0.0 for _ in pieces])),
        "tokenizer.ggml.token_type": (ARRAY, (INTEGERS, [kind for _, kind in pieces])),
        "tokenizer.ggml.unknown_token_id": (UNSIGNED, 0),
        "tokenizer.ggml.bos_token_id": (UNSIGNED, 1),
        "tokenizer.ggml.eos_token_id": (UNSIGNED, 2),
        "tokenizer.ggml.add_space_prefix": (BOOL, False),
        "tokenizer.chat_template": (STRING, TEMPLATE),
    }


def tensors(pieces):
    """Names, shapes and numbers; rows are as long as the first part of a shape."""
    dice = random.Random(SEED)

    def noise(columns, rows, scale):
        return array("f", (dice.gauss(0, scale) for _ in range(columns * rows)))

    def ones():
        return array("f", [1.0] * WIDTH)

    # The first number of each piece is the same: what a piece has there is how much it is liked.
    embedding, output = noise(WIDTH, len(pieces), 0.3), noise(WIDTH, len(pieces), 0.2)
    for index, (piece, _) in enumerate(pieces):
        embedding[index * WIDTH] = 1.0
        likes = LIKES.find(piece) if len(piece) == 1 else -1
        output[index * WIDTH] = 2.0 * (len(LIKES) - likes) if likes >= 0 else 0.0
    yield "token_embd.weight", (WIDTH, len(pieces)), embedding
    yield "output_norm.weight", (WIDTH,), ones()
    yield "output.weight", (WIDTH, len(pieces)), output
    for layer in range(LAYERS):
        at = f"blk.{layer}."
        yield at + "attn_norm.weight", (WIDTH,), ones()
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"{at}{name}.weight", (WIDTH, WIDTH), noise(WIDTH, WIDTH, 0.05)
        yield at + "ffn_norm.weight", (WIDTH,), ones()
        for name in ("ffn_gate", "ffn_up"):
            yield f"{at}{name}.weight", (WIDTH, FEED), noise(WIDTH, FEED, 0.05)
        yield at + "ffn_down.weight", (FEED, WIDTH), noise(FEED, WIDTH, 0.05)


def write(path):
    """A GGUF file of version 3: settings, tensors by name, and their numbers, aligned to 32 bytes."""
    pieces = list(tokens())
    known, all_tensors = settings(pieces), list(tensors(pieces))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(all_tensors), len(known))
    for key, (kind, content) in known.items():
        head += string(key) + struct.pack("<I", kind) + value(kind, content)
    body = b""
    for name, shape, numbers in all_tensors:
        sizes = struct.pack(f"<{len(shape)}Q", *shape)
        head += string(name) + struct.pack("<I", len(shape)) + sizes + struct.pack("<IQ", 0, len(body))
        body += numbers.tobytes()
        body += b"\0" * (-len(body) % 32)
    with open(path, "wb") as file:
        file.write(head + b"\0" * (-len(head) % 32) + body)


def serve(path):
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.n_ctx, params.n_parallel = CONTEXT, 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup, params.verbosity = False, 0
    server = xllamacpp.Server(params)
    print(f"serving at {server.listening_address}", file=sys.stderr, flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)


if __name__ == "__main__":
    write(sys.argv[1])
    serve(sys.argv[1])
