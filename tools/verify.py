#!/usr/bin/env python3
"""Checks an archive of onrecord without onrecord: WARC files and ledger against each other, byte for byte.

usage: verify.py ARCHIVE [--vkey LINE] [--checkpoint FILE]
  --vkey LINE        the ledger's verifier key as you know it from elsewhere (else the archive's own is taken, and said)
  --checkpoint FILE  a signed checkpoint you remember: the ledger must have grown from it
Exit code: 0 intact, 5 damaged or incomplete, 3 no archive there, 2 misuse. Needs Python 3.9 and `cryptography`. It reads no SQLite; the formats are WARC 1.1, RFC 8785, RFC 6962, C2SP tlog-tiles, RFC 3161 and OpenTimestamps."""
import base64, datetime, glob, hashlib, json, os, re, sys, zlib
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
PROBLEMS, NOT_CHECKED, COUNT = [], ["what warcinfo records say of their files: no record of the ledger names them, and nothing rests on them"], {}
def problem(kind, where, what): PROBLEMS.append(f"{kind}  {where}  {what}")
def count(what, n=1): COUNT[what] = COUNT.get(what, 0) + n
def sha(b): return hashlib.sha256(b).digest()
class Bad(Exception): pass
def number(x):
    if x == int(x) and abs(x) < 1e21: return str(int(x))
    m, _, e = repr(x).partition("e")                      # Python and ECMAScript agree on the digits, not on the exponent
    if not e: return m
    if -7 < int(e) < 0: return ("-" if m[0] == "-" else "") + "0." + "0" * (-int(e) - 1) + m.lstrip("-").replace(".", "")
    return f"{m}e{'+' if int(e) > 0 else '-'}{abs(int(e))}"
def canonical(v):
    if isinstance(v, dict): return "{" + ",".join(canonical(k) + ":" + canonical(v[k]) for k in sorted(v, key=lambda k: k.encode("utf-16-be", "surrogatepass"))) + "}"
    if isinstance(v, list): return "[" + ",".join(map(canonical, v)) + "]"
    return number(v) if isinstance(v, float) else json.dumps(v, ensure_ascii=False)
def unique(pairs):
    if len(dict(pairs)) != len(pairs): raise Bad("a key twice")
    return dict(pairs)
def read_json(block):
    try: return json.loads(block.decode("utf-8"), object_pairs_hook=unique, parse_constant=unique)
    except (ValueError, TypeError, RecursionError, Bad): return None
def members(file):
    """A .warc.gz as its gzip members: offset and decompressed pieces of each."""
    rest = b""
    def pieces():
        nonlocal rest
        inflate, head = zlib.decompressobj(31), b""
        while not inflate.eof:
            data, rest = rest or file.read(1 << 16), b""
            if not data or not b"\x1f\x8b\x08\0\0\0\0\0\0\xff".startswith(head := (head + data)[:10]): raise Bad("no gzip head of ours" if data else "the file ends inside a record")
            try:
                yield inflate.decompress(data, 1 << 20)
                while inflate.unconsumed_tail and not inflate.eof: yield inflate.decompress(inflate.unconsumed_tail, 1 << 20)
            except zlib.error as e: raise Bad(f"gzip: {e}")
            rest = inflate.unused_data
    while rest := rest or file.read(1 << 16): yield file.tell() - len(rest), pieces()
def record(pieces):
    """One WARC record -> its headers, digests, and its block where that is JSON."""
    buffer = b""
    while b"\r\n\r\n" not in buffer and len(buffer) < 1 << 20 and (piece := next(pieces, None)) is not None: buffer += piece
    head, found, rest = buffer.partition(b"\r\n\r\n")
    version, *lines = head.decode("utf-8", "replace").split("\r\n")
    if not found or version != "WARC/1.1" or not all(":" in line for line in lines): raise Bad("not a WARC/1.1 record")
    fields = {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in reversed(lines)}
    if not (left := int(fields.get("content-length", "-1"))) >= 0: raise Bad("no Content-Length")
    keep = fields.get("warc-type") == "metadata" and fields.get("content-type") == "application/json"
    whole, block, payload = hashlib.sha256(head + found), hashlib.sha256(), hashlib.sha256()
    kept, opening, tail = [], b"" if fields.get("content-type", "").startswith("application/http") else None, b""
    def feed(part):
        nonlocal left, opening, tail
        mine, tail = part[:left], tail + part[left:]
        left -= len(mine)
        whole.update(mine); block.update(mine); kept.append(mine if keep else b"")
        if opening is None: payload.update(mine)
        elif (at := (opening := opening + mine).find(b"\r\n\r\n")) >= 0: payload.update(opening[at + 4:]); opening = None  # after the HTTP head
        if len(tail) > 4: raise Bad("bytes after the record")
    feed(rest)
    for piece in pieces: feed(piece)
    if left or tail != b"\r\n\r\n": raise Bad("Content-Length is not the block's length")
    return fields, whole.hexdigest(), block.hexdigest(), payload.hexdigest(), b"".join(kept) if keep else None
def warcs(archive):
    """-> {id: (whole digest, block digest, where, type)}, [(where, json block)]"""
    known, blocks = {}, []
    folder = os.path.join(archive, "warc")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        if ".warc.gz" not in name or name.startswith("."): continue
        count("bytes", os.path.getsize(os.path.join(folder, name)))
        try:
            for at, pieces in members(open(os.path.join(folder, name), "rb")):
                where, (fields, whole, block, payload, kept) = f"warc/{name}@{at}", record(pieces)
                count("warc_records")
                kind, said = fields.get("warc-type"), fields.get("warc-payload-digest")
                id = re.fullmatch("<urn:uuid:([0-9a-f-]{36})>", fields.get("warc-record-id", ""))
                if not id: raise Bad("no WARC-Record-ID of ours")
                if id[1] in known: problem("record-added", where, "a second record of the same id")
                if fields.get("warc-block-digest") != "sha256:" + block: problem("block-changed", where, "the block is not what WARC-Block-Digest says")
                if said and kind in ("response", "resource", "request") and said != "sha256:" + payload: problem("payload-changed", where, "the payload is not what WARC-Payload-Digest says")
                known[id[1]] = (whole, block, where, kind)
                if kept is not None: blocks.append((where, id[1], kept))
        except (Bad, OSError, ValueError) as e: problem("file-truncated" if "ends inside" in str(e) else "record-malformed", f"warc/{name}", str(e))
    return known, blocks
def root(level):
    if not level: return sha(b"")
    while len(level) > 1:
        level = [sha(b"\1" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)] + (level[-1:] if len(level) % 2 else [])
    return level[0]                                        # carrying the odd node up gives RFC 6962's unbalanced tree
def b64(s): return base64.b64decode(s, validate=True)
def parse_vkey(line):
    name, id, key = line.strip().split("+", 2)
    key = b64(key)
    if len(key) != 33 or key[0] != 1 or sha(name.encode() + b"\n" + key)[:4].hex() != id: raise Bad("not an Ed25519 verifier key")
    return name, bytes.fromhex(id), key[1:]
def signed(public, signature, message):
    try: return ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message) is None
    except (InvalidSignature, ValueError): return False
def checkpoint(note, keys):
    """-> origin, size, root of a checkpoint that one of keys signed"""
    text, _, lines = note.decode("utf-8").rpartition("\n\n")
    text, good = text + "\n", False
    for dash, name, data in (line.split(" ") for line in lines.splitlines()):
        data = b64(data)
        for key_name, id, public in keys:
            if dash == "\u2014" and (key_name, id) == (name, data[:4]):
                if not signed(public, data[4:], text.encode()): raise Bad(f"the signature of {name} does not verify")
                good = True
    origin, size, base, *_ = text.split("\n")
    if not good or origin not in [k[0] for k in keys] or str(int(size)) != size: raise Bad("not signed with a known key of this log")
    return origin, int(size), b64(base)
def tile_path(n, width):
    path = f"{n % 1000:03d}"
    while n >= 1000: n //= 1000; path = f"x{n % 1000:03d}/{path}"
    return path + (f".p/{width}" if width < 256 else "")
def read(*path):
    with open(os.path.join(*path), "rb") as f: return f.read()
def tile(ledger, where, kind):
    try: return read(ledger, where) or b"\0"
    except OSError: problem(kind, f"ledger/{where}", "it is missing"); return b""
def load_leaves(ledger, size):
    leaves = []
    for n in range(min((size + 255) // 256, 1 + sum(len(f) for _, _, f in os.walk(os.path.join(ledger, "tile/entries"))))):  # one missing is enough
        where = "tile/entries/" + tile_path(n, width := min(256, size - n * 256))
        bundle = tile(ledger, where, "leaf-missing")
        entries = [bundle[i:i + 34] for i in range(0, len(bundle), 34)]
        good = len(entries) == width and all(len(e) == 34 and e[:2] == b"\0\x20" for e in entries)
        if bundle and not good: problem("leaf-changed", f"ledger/{where}", "it does not hold the leaves its name says")
        leaves += [e[2:] for e in entries] if good else [b""] * width
    return leaves
def check_tiles(ledger, level):
    n = 0
    while level:
        for i in range(0, len(level), 256):
            where = f"tile/{n}/" + tile_path(i // 256, len(level[i:i + 256]))
            if tile(ledger, where, "tile-missing") not in (b"", b"".join(level[i:i + 256])): problem("tile-changed", f"ledger/{where}", "it does not hold the hashes of what lies below")
            count("tiles")
        level, n = [root(level[i:i + 256]) for i in range(0, len(level) - 255, 256)], n + 1
def der(b):
    out = []
    while b:
        at = 2 + max(0, b[1] - 128)
        n = int.from_bytes(b[2:at], "big") if b[1] > 127 else b[1]
        if len(b) < at + n: raise Bad("cut short")
        out.append((b[0], b[at:at + n], b[:at + n])); b = b[at + n:]
    return out
DIGESTS = {"608648016503040201": "SHA256", "608648016503040202": "SHA384", "608648016503040203": "SHA512"}
def token(response, stamped):
    """-> the time an RFC 3161 response gives `stamped`, signed by a certificate in it"""
    status, *content = der(der(response)[0][1])
    if der(status[1])[0][1] not in (b"\0", b"\1"): raise Bad("the authority rejected the request")
    parts = der(der(der(content[0][1])[1][1])[0][1])
    info = der(der(parts[2][1])[1][1])[0][1]
    certificates = [c[2] for p in parts if p[0] == 0xa0 for c in der(p[1])]
    signer = der(der(parts[-1][1])[0][1])
    attributes = {a[0][1].hex(): der(a[1][1])[0][1] for a in (der(x[1]) for x in der(signer[3][1]))}
    hash = DIGESTS[der(signer[2][1])[0][1].hex()]
    if attributes["2a864886f70d010904"] != hashlib.new(hash, info).digest(): raise Bad("the signed attributes are of another content")
    if not any(signed_by(c, signer[5][1], b"\x31" + signer[3][2][1:], hash) for c in certificates): raise Bad("the signature is of no certificate in the token")
    fields = der(der(info)[0][1])
    if der(fields[2][1])[1][1] != sha(stamped): raise Bad("it stamps another digest")
    return fields[4][1].decode()
def signed_by(certificate, signature, message, hash):
    key, h = x509.load_der_x509_certificate(certificate).public_key(), getattr(hashes, hash)()
    try:
        how = [padding.PKCS1v15(), h] if isinstance(key, rsa.RSAPublicKey) else [ec.ECDSA(h)] if isinstance(key, ec.EllipticCurvePublicKey) else []
        return key.verify(signature, message, *how) is None
    except InvalidSignature: return False
def ots(proof, stamped):
    """-> what attests to `stamped` in an OpenTimestamps proof"""
    magic = b"\0OpenTimestamps\0\0Proof\0\xbf\x89\xe2\xe8\x84\xe8\x92\x94\1\x08"
    if not proof.startswith(magic + sha(stamped)): raise Bad("it is not of the checkpoint beside it")
    at, found = len(magic) + 32, []
    def number():
        nonlocal at
        start, at = at, next(i for i in range(at, at + 10) if proof[i] < 128) + 1
        return sum((b & 127) << 7 * i for i, b in enumerate(proof[start:at]))
    def take(n):
        nonlocal at
        if (at := at + n) > len(proof): raise Bad("cut short")
        return proof[at - n:at]
    def walk(message):
        more = True
        while more:
            tag = take(2 if (more := proof[at:at + 1] == b"\xff") else 1)[-1]
            if tag == 0: found.append((take(8).hex(), take(number())))
            elif tag in (0xf0, 0xf1): arg = take(number()); walk(message + arg if tag == 0xf0 else arg + message)
            elif tag in (0x02, 0x03, 0x08, 0x67): walk(sha(message) if tag == 8 else b"?")
            elif tag in (0xf2, 0xf3): walk(message[::-1] if tag == 0xf2 else message.hex().encode())
            else: raise Bad("an unknown operation")
    walk(sha(stamped))
    if at != len(proof): raise Bad("bytes after its end")
    return found
def prefix(remembered, leaf_hashes, where):
    _, size, top = remembered; count("checkpoints")
    if size > len(leaf_hashes): problem("checkpoint-rolled-back", where, f"it was signed for {size} leaves, the ledger has {len(leaf_hashes)}")
    elif root(leaf_hashes[:size]) != top: problem("checkpoint-forked", where, "the ledger has another root at that size")
def anchors(ledger, keys, leaf_hashes):
    folder = os.path.join(ledger, "anchors")
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        size, kind, where = name.split(".")[0], name.rsplit(".", 1)[-1], f"ledger/anchors/{name}"
        try:
            note = read(folder, f"{size}.checkpoint")
            if kind == "checkpoint": prefix(checkpoint(note, keys), leaf_hashes, where)
            elif kind == "tsr": time = token(read(folder, name), note); count("anchors"); NOT_CHECKED.append(f"whether the signer of {name}, who says {time}, leads to a root you trust: openssl ts -verify -data {size}.checkpoint -in {name} -CAfile ROOTS.pem")
            elif kind == "ots": held = any(tag == "0588960d73d71901" for tag, _ in ots(read(folder, name), note)); count("anchors"); NOT_CHECKED.append(f"{name} {'names a Bitcoin block' if held else 'is pending and proves nothing yet'}: ots verify -f {size}.checkpoint {name}")
            elif kind == "cosignature": NOT_CHECKED.append(f"{name}: the witness's key is not known here")
        except (Bad, OSError, ValueError, LookupError, StopIteration, RecursionError) as e: problem("anchor-invalid", where, str(e) or type(e).__name__)
def names(value):
    if isinstance(value, dict):
        if set(value) == {"id", "digest"} and isinstance(value["id"], str) and isinstance(value["digest"], str): yield value["id"], value["digest"]
    for v in value.values() if isinstance(value, dict) else value if isinstance(value, list) else (): yield from names(v)
def successors(keys, rotations):
    for r in rotations:
        try:
            old, new, text = parse_vkey(r["old"]), parse_vkey(r["new"]), f"onrecord key rotation\n{r['old']}\n{r['new']}\n".encode()
            if old in keys and old[0] == new[0] and signed(old[2], b64(r["by_old"]), text) and signed(new[2], b64(r["by_new"]), text): keys.append(new)
        except (Bad, ValueError, KeyError): pass
def beacon(run, at, b, where):                             # what of a drand round can be told without pairings
    try:
        chain, round = b["chain"], b["round"]
        named = chain["period"].to_bytes(4, "big") + chain["genesis_time"].to_bytes(8, "big", signed=True) + bytes.fromhex(chain["public_key"] + chain["seed"]) + chain["id"].encode() * (chain["id"] != "default")
        id = bytearray(sha(b"onrecord run\n" + bytes.fromhex(round["signature"]) + b["salt"].encode())[:16]); id[6] = id[6] & 15 | 128; id[8] = id[8] & 63 | 128
        due, made = chain["genesis_time"] + (round["number"] - 1) * chain["period"], datetime.datetime.fromisoformat(at[:19] + "+00:00").timestamp()
        if sha(named).hex() != chain["hash"] or id.hex() != run.replace("-", "") or due > made + 60: problem("beacon-invalid", where, "chain, run and time do not follow from the round")
        NOT_CHECKED.append(f"run {run}: whether the drand chain {chain['hash']} signed round {round['number']} of {datetime.datetime.fromtimestamp(due, datetime.timezone.utc)} (no BLS here): compare /public/{round['number']}")
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as e: problem("record-malformed", where, f"its beacon: {e!r}")
def file(where): return where.split("@")[0]
def left(_, where, what): NOT_CHECKED.append(f"{where} {what} yet: a file is unfinished, the next run sees to it")
def records(known, blocks, leaves, ledger):
    places, events, named, removed, runs, anchored = {leaf: i for i, leaf in enumerate(leaves)}, set(), set(), set(), {"run.opened": {}, "run.closed": {}}, {}
    unfinished, settled = any(file(k[2]).endswith(".open") for k in known.values()), ""
    parsed = [(where, id, block, read_json(block)) for where, id, block in blocks]
    for where, id, block, value in parsed:
        if isinstance(value, dict) and value.get("kind") in ("run.closed", "archive.created") and sha(block) in places: settled = max(settled, file(where))
    spare = lambda where: left if unfinished and file(where) >= settled else problem  # behind the last closed run only
    for where, id, block, value in parsed:
        if isinstance(value, dict) and "kind" in value and "nonce" in value:
            leaf = sha(block)
            if leaf in events: problem("record-added", where, "the same record again")
            events.add(leaf); named.add(id); count("records")
            if leaf not in places: spare(where)("record-added", where, f"{value['kind']} stands at no place in the ledger")
            if canonical(value).encode() != block: problem("record-not-canonical", where, "its JSON is not in canonical form")
            if value["kind"] == "run.opened" and "beacon" in value: beacon(str(value.get("run")), str(value.get("at")), value["beacon"], where)
            if value["kind"] in runs: runs[value["kind"]][str(value.get("run"))] = where
            if value["kind"] == "anchor.added": anchored.setdefault(os.path.basename(str(value.get("file"))), []).append(value.get("digest"))
            if value["kind"] == "content.removed": removed.update(i for i, _ in names(value))
    for leaf, at in places.items():
        if leaf and leaf not in events: problem("record-missing", f"ledger leaf {at}", "no record in the WARC files has this digest")
    for where, _, block, value in parsed:
        for id, digest in names(value):
            named.add(id)
            if id not in known:
                if id not in removed: problem("record-missing", where, f"it names the WARC record {id}, which is not there")
            elif "sha256:" + known[id][0] != digest: problem("header-changed", known[id][2], "the whole record is not what the ledger's record says")
        for noun, holder in (("statement", "content"), ("snapshot", "manifest")) if isinstance(value, dict) else ():
            if value.get("kind") in ("statement.added", "snapshot.taken") and any(i in known and value.get(noun) != "sha256:" + known[i][1] for i, _ in names(value.get(holder))):
                problem("record-changed", where, f"its {noun} is not the SHA-256 of the {holder} it names")
    for id, (_, _, where, kind) in known.items():
        if kind != "warcinfo" and id not in named: spare(where)("record-added", where, "no record of the ledger names it")
    for name, digests in anchored.items():
        here = ["sha256:" + sha(b).hex() for b in [tile(ledger, "anchors/" + name, "anchor-missing")] + [read(p) for p in glob.glob(glob.escape(f"{ledger}/anchors/{name}") + ".new")]]
        if here[0] not in digests or digests[-1] not in here: problem("anchor-changed", f"ledger/anchors/{name}", "it is not the file that its record names")
    for run in runs["run.opened"].keys() - runs["run.closed"].keys(): NOT_CHECKED.append(f"run {run} was opened and never closed")

def main(argv):
    options, rest, it = {}, [], iter(argv)
    for word in it: options.update({word: next(it, None)}) if word in ("--vkey", "--checkpoint") else rest.append(word)
    if len(rest) != 1 or rest[0].startswith("-") or None in options.values(): print(__doc__, file=sys.stderr); return 2
    archive, ledger = rest[0], os.path.join(rest[0], "ledger")
    if not os.path.isdir(ledger): print(f"no archive in {archive}", file=sys.stderr); return 3
    leaves, (known, blocks) = [], warcs(archive)
    values = [v for v in (read_json(b) for _, _, b in blocks) if isinstance(v, dict)]
    try:
        own = parse_vkey(read(ledger, "vkey").decode()); keys = [parse_vkey(options["--vkey"])] if "--vkey" in options else [own]
        if "--vkey" not in options:
            NOT_CHECKED.append("whether the ledger's key is the right one: none was given with --vkey")
            first = b"".join(map(read, sorted(p for p in glob.glob(glob.escape(ledger) + "/tile/entries/000*/*") + glob.glob(glob.escape(ledger) + "/tile/entries/000") if os.path.isfile(p))))[2:34]
            keys = [parse_vkey(read_json(b)["vkey"]) for _, _, b in blocks if sha(b) == first and b'"archive.created"' in b][:1] or keys
        successors(keys, [v for v in values if v.get("kind") == "key.rotated"])
        if own not in keys: problem("key-unknown", "ledger/vkey", "it is neither the trusted key nor one that followed it")
        _, size, claimed = checkpoint(read(ledger, "checkpoint"), keys); count("checkpoints")
        leaves = load_leaves(ledger, size); count("leaves", len(leaves)); level = [sha(b"\0" + leaf) for leaf in leaves]
        if root(level) != claimed: problem("leaf-changed", "ledger/checkpoint", "the leaves do not lead to the signed root")
        check_tiles(ledger, level); anchors(ledger, keys, level)
        if "--checkpoint" in options: prefix(checkpoint(read(options["--checkpoint"]), keys), level, options["--checkpoint"])
        else: NOT_CHECKED.append("whether the whole ledger was rolled back or rewritten with its key: no --checkpoint was given")
    except (Bad, OSError, ValueError, LookupError) as e: problem("checkpoint-bad-signature" if "sign" in str(e) else "checkpoint-malformed", "ledger", str(e))
    records(known, blocks, leaves, ledger)
    print(*PROBLEMS, *(f"not checked: {what}" for what in NOT_CHECKED), ("damaged" if PROBLEMS else "intact") + "".join(f" {k}={v}" for k, v in sorted(COUNT.items())), sep="\n"); return 5 if PROBLEMS else 0
if __name__ == "__main__": sys.exit(main(sys.argv[1:]))
