"""A model service on the loopback: an OpenAI-compatible API over real HTTP that fails in the ways asked of it."""

import json
import random
import re
import socket
import struct
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, NamedTuple, Self

Json = dict[str, Any]

ENDPOINTS = ("/v1/responses", "/v1/chat/completions")
CACHE_FLOOR = 1024  # tokens; the service caches no shorter prefix
HTML = b"<html><head><title>Gateway</title></head><body>The service is busy.</body></html>"

# kind of fault -> status, error type, error code, message
ERRORS: dict[str, tuple[int, str, str | None, str]] = {
    "429_retry_after": (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests per minute"),
    "429_ms": (429, "tokens", "rate_limit_exceeded", "Rate limit reached for tokens per minute"),
    "429_long": (429, "requests", "rate_limit_exceeded", "Rate limit reached for requests per day"),
    "insufficient_quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota"),
    "500": (500, "server_error", None, "The server had an error while processing your request"),
    "400_context": (400, "invalid_request_error", "context_length_exceeded", "Your input exceeds the context window"),
    "401": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided"),
    "403": (403, "invalid_request_error", "unsupported_country_region_territory", "Region not supported"),
    "404_model": (404, "invalid_request_error", "model_not_found", "The model does not exist"),
}
WIRE = {"slow", "timeout", "reset", "half_body", "broken_json", "html_200", "502_html", "redirect"}
INCOMPLETE = dict.fromkeys(("truncated", "reasoning_only"), "max_output_tokens") | {"content_filter": "content_filter"}
TEXT = {"prose", "fenced", "double_json", "unknown_enum", "extra_key", "empty"}
BODY = {"refusal", "failed", "wrong_model", "no_usage_details", "tier_downgraded", *INCOMPLETE, *TEXT}
FAULTS = {"", *ERRORS, *WIRE, *BODY}
ROW_FAULTS = {"", "missing", "expired", "error_500", *BODY}
BATCH_MODES = {"completed", "expired_half", "failed_validation", "all_failed", "cancelled", "never"}


class Call(NamedTuple):
    """One request as it arrived; names of headers are in lower case, and `:method` holds the method."""

    path: str
    headers: dict[str, str]
    body: dict | bytes  # bytes where it is no JSON object
    at: float  # time.monotonic()


class Fault(NamedTuple):
    """One scripted fault, used up by one request to a model; `seconds` is how long to sleep or to ask to wait."""

    kind: str
    seconds: float = 0.0


class Reply(NamedTuple):
    """One answer of the service, before it goes on the wire."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


class FakeServer:
    """The service: `answer` gets the body of a request and returns what the model says to it."""

    model = "fake-model"

    def __init__(self, answer: Callable[[dict], dict | str]) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.faults: list[Fault] = []  # the first is taken by the next request to a model
        self.row_faults: dict[str, str] = {}  # by custom_id: one of ROW_FAULTS
        self.batch_mode = "completed"  # or another of BATCH_MODES
        self.shuffle_rows = True
        self.duplicate_row: str | None = None  # the custom_id of a row that comes back twice
        self.cut_last_line = False
        self.answer = answer
        self._numbers = count(1)
        self._lock, self._batch_lock = threading.Lock(), threading.Lock()
        self._stopping = threading.Event()
        self._prompts: list[str] = []
        self._files: dict[str, tuple[Json, bytes]] = {}
        self._batches: dict[str, Json] = {}

    def __enter__(self) -> Self:
        """Starts to listen, on a port that is free."""
        self._stopping.clear()
        self._http = _Server(self)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, raised: BaseException | None, at: object) -> None:
        """Stops, and raises what went wrong in the fake itself: to a client it looks like one more lost connection."""
        self._stopping.set()
        self._http.shutdown()
        self._http.hang_up()
        self._http.server_close()
        self._thread.join()
        if self._http.crashes and raised is None:
            raise self._http.crashes[0]

    def _note(self, path: str, headers: dict[str, str], raw: bytes) -> tuple[Call, Fault]:
        """Notes a request, and takes the fault that it meets off the queue."""
        try:
            value = json.loads(raw)
        except ValueError:
            value = raw
        call = Call(path, headers, value if isinstance(value, dict) else raw, time.monotonic())
        with self._lock:
            self.calls.append(call)
            met = headers[":method"] == "POST" and path in ENDPOINTS and self.faults
            fault = self.faults.pop(0) if met else Fault("")
        _known(fault.kind, FAULTS)
        return call, fault

    def _reply(self, call: Call, fault: Fault) -> Reply:
        """The reply to a call."""
        method = call.headers[":method"]
        match [method, *call.path.removeprefix("/v1/").split("/")]:
            case ["POST", "responses"] | ["POST", "chat", "completions"]:
                return self._model(call, fault)
            case ["GET", "models"]:
                model = {"id": self.model, "object": "model", "created": 0, "owned_by": "fake"}
                return _json(200, {"object": "list", "data": [model]})
            case ["POST", "files"]:
                return self._upload(call)
            case [_, "files", name, *rest] if name in self._files:
                return self._file(method, name, rest)
            case ["POST", "batches"]:
                return self._open_batch(call)
            case ["GET", "batches"]:
                known = list(reversed(self._batches.values()))
                return _json(200, {"object": "list", "data": known, "has_more": False})
            case ["GET", "batches", name] if name in self._batches:
                return self._poll(self._batches[name])
            case ["POST", "batches", name, "cancel"] if name in self._batches:
                return self._cancel(self._batches[name])
        return _json(404, _error(f"Nothing is at {method} {call.path}"))

    def _model(self, call: Call, fault: Fault) -> Reply:
        """The reply of a model, or the fault in its place."""
        kind = fault.kind
        if kind in ERRORS:
            status, family, code, message = ERRORS[kind]
            waits = {
                "429_retry_after": ("retry-after", f"{fault.seconds:g}"),
                "429_ms": ("retry-after-ms", f"{fault.seconds * 1000:g}"),
                "429_long": ("retry-after", "121"),
            }
            return _json(status, _error(message, code, family), *([waits[kind]] if kind in waits else []))
        if kind in ("html_200", "502_html"):
            return Reply(200 if kind == "html_200" else 502, HTML, "text/html")
        if kind == "redirect":
            return Reply(302, b"", "text/html", (("location", "http://192.0.2.1/"),))
        reply = _json(*self._said(call.path, call.body, kind))
        return reply._replace(body=reply.body[: len(reply.body) // 2]) if kind == "broken_json" else reply

    def _said(self, endpoint: str, body: dict | bytes, kind: str) -> tuple[int, Json]:
        """Status and object of the reply to one request, by itself or as the row of a batch."""
        problem = request_problem(endpoint, body) if isinstance(body, dict) else "The body is no JSON object."
        if problem:
            return 400, _error(problem)
        said = self.answer(body)
        text = spoil(said if isinstance(said, str) else json.dumps(said, ensure_ascii=False), kind)
        prompt = input_text(body)
        counts = (len(prompt) // 4, self._cached(prompt), len(text) // 4)
        shape = response_object if endpoint == "/v1/responses" else chat_object
        made = shape(f"{next(self._numbers):06}", body, text, kind)
        names = ("input", "output") if endpoint == "/v1/responses" else ("prompt", "completion")
        made["usage"] = None if kind == "failed" else usage(*names, counts, details=kind != "no_usage_details")
        made["model"] = "another-model" if kind == "wrong_model" else body["model"]
        tier = body.get("service_tier", "auto")
        made["service_tier"] = "default" if kind == "tier_downgraded" or tier == "auto" else tier
        return 200, made

    def _cached(self, prompt: str) -> int:
        """Tokens of the longest beginning that a prompt shares with an earlier one."""
        with self._lock:
            earlier = list(self._prompts)
            self._prompts.append(prompt)
        floor = prompt[: CACHE_FLOOR * 4]
        cached = max((shared_length(prompt, old) // 4 for old in earlier if old.startswith(floor)), default=0)
        return cached if cached >= CACHE_FLOOR else 0

    def _store(self, filename: str, purpose: str, data: bytes) -> Json:
        """Keeps a file; its object."""
        name = f"file-{next(self._numbers):06}"
        kept = {"id": name, "object": "file", "bytes": len(data), "created_at": _now(), "filename": filename}
        self._files[name] = ({**kept, "purpose": purpose, "status": "processed", "expires_at": None}, data)
        return self._files[name][0]

    def _upload(self, call: Call) -> Reply:
        raw = call.body if isinstance(call.body, bytes) else b""
        fields = form_fields(call.headers.get("content-type", ""), raw)
        if "file" not in fields or fields.get("purpose") != ("", b"batch"):
            return _json(400, _error("A file and the purpose 'batch' are required."))
        filename, data = fields["file"]
        return _json(200, self._store(filename, "batch", data))

    def _file(self, method: str, name: str, rest: list[str]) -> Reply:
        about, data = self._files[name]
        if method == "DELETE":
            del self._files[name]
            return _json(200, {"id": name, "object": "file", "deleted": True})
        return Reply(200, data, "application/octet-stream") if rest == ["content"] else _json(200, about)

    def _open_batch(self, call: Call) -> Reply:
        asked = call.body if isinstance(call.body, dict) else {}
        if asked.get("input_file_id") not in self._files:
            return _json(400, _error(f"No such File object: {asked.get('input_file_id')}"))
        if asked.get("endpoint") not in ENDPOINTS or asked.get("completion_window") != "24h":
            return _json(400, _error("Invalid endpoint or completion_window."))
        batch = {"id": f"batch_{next(self._numbers):06}", "object": "batch", "status": "validating"}
        batch |= {key: asked[key] for key in ("endpoint", "input_file_id", "completion_window")}
        batch |= {"created_at": _now(), "expires_at": _now() + 86400, "metadata": asked.get("metadata")}
        batch |= dict.fromkeys(("errors", "output_file_id", "error_file_id", "completed_at"))
        batch["request_counts"] = {"total": 0, "completed": 0, "failed": 0}
        self._batches[batch["id"]] = batch
        return _json(200, batch)

    def _poll(self, batch: Json) -> Reply:
        """A batch is in progress when first asked about and finished when asked again."""
        _known(self.batch_mode, BATCH_MODES)
        with self._batch_lock:
            if batch["status"] == "validating":
                batch["status"] = "in_progress"
            elif batch["status"] == "cancelling" or (batch["status"] == "in_progress" and self.batch_mode != "never"):
                self._finish(batch, "cancelled" if batch["status"] == "cancelling" else self.batch_mode)
            return _json(200, batch)

    def _cancel(self, batch: Json) -> Reply:
        with self._batch_lock:
            if batch["status"] not in ("validating", "in_progress"):
                return _json(409, _error(f"Cannot cancel a batch with status '{batch['status']}'."))
            batch["status"] = "cancelling"
            return _json(200, batch)

    def _finish(self, batch: Json, mode: str) -> None:
        """Answers the rows of a batch and files them: those with an answer apart from those without one."""
        raw = self._files[batch["input_file_id"]][1]
        problems = list(row_problems(batch["endpoint"], raw))
        if mode == "failed_validation":
            problems.append(_problem("invalid_json_line", 1, "This line is not parseable as valid JSON."))
        if problems:
            batch.update(status="failed", failed_at=_now(), errors={"object": "list", "data": problems})
            return
        asked = [json.loads(line) for line in raw.splitlines()]
        served = len(asked) // 2 if mode in ("expired_half", "cancelled") else len(asked)
        late = "cancelled" if mode == "cancelled" else "expired"
        rows: list[Json] = []
        for place, request in enumerate(asked):
            kind = self.row_faults.get(request["custom_id"], "")
            _known(kind, ROW_FAULTS)
            kind = late if place >= served else "error_500" if mode == "all_failed" else kind
            if kind != "missing":
                rows.append(self._row(batch["endpoint"], request, kind))
        good = [row for row in rows if row["response"] and row["response"]["status_code"] == 200]
        bad = [row for row in rows if not row["response"] or row["response"]["status_code"] != 200]
        status = {"expired_half": "expired", "cancelled": "cancelled"}.get(mode, "completed")
        batch.update({"status": status, f"{status}_at": _now()})
        batch["request_counts"] = {"total": len(asked), "completed": len(good), "failed": len(bad)}
        good += [row for row in good if row["custom_id"] == self.duplicate_row]
        batch.update(output_file_id=self._rows_file(good, self.cut_last_line), error_file_id=self._rows_file(bad))

    def _row(self, endpoint: str, request: Json, kind: str) -> Json:
        """One line of a batch's output file or error file."""
        number = f"{next(self._numbers):06}"
        row: Json = {"id": f"batch_req_{number}", "custom_id": request["custom_id"], "response": None, "error": None}
        if kind in ("expired", "cancelled"):
            row["error"] = {"code": f"batch_{kind}", "message": "This request was not executed in time."}
            return row
        if kind == "error_500":
            status, body = 500, _error(ERRORS["500"][3], None, "server_error")
        else:
            status, body = self._said(endpoint, request["body"], kind)
        row["response"] = {"status_code": status, "request_id": f"req_{number}", "body": body}
        return row

    def _rows_file(self, rows: list[Json], cut: bool = False) -> str | None:
        """The name of a new file with these rows; none where there are none, as at the service."""
        if not rows:
            return None
        if self.shuffle_rows:
            rows = random.Random(0).sample(rows, len(rows))  # with this seed even two rows change places
        lines = [json.dumps(row).encode() + b"\n" for row in rows]
        if cut:
            lines[-1] = lines[-1][: len(lines[-1]) // 2]
        return self._store("output.jsonl", "batch_output", b"".join(lines))["id"]


class _Server(ThreadingHTTPServer):
    """Keeps the connections, to end them with the server, and the errors of the fake itself."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, fake: FakeServer) -> None:
        self.fake = fake
        self.crashes: list[Exception] = []
        self._open: list[socket.socket] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        taken = super().get_request()
        self._open.append(taken[0])
        return taken

    def hang_up(self) -> None:
        """Ends every connection: a client that kept one alive would go on being served after the end."""
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keeps the error for the end of the test; that a client left early is none."""
        crash = sys.exception()
        if isinstance(crash, Exception) and not isinstance(crash, OSError):
            self.crashes.append(crash)


class _Handler(BaseHTTPRequestHandler):
    """Puts replies on the wire, and breaks the connection where a fault says so."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        fake = self.server.fake
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.partition("?")[0]
        headers = {":method": self.command, **{name.lower(): value for name, value in self.headers.items()}}
        call, fault = fake._note(path, headers, raw)
        if fault.kind in ("slow", "timeout"):
            fake._stopping.wait(fault.seconds)
        if fault.kind in ("timeout", "reset"):
            self._hang_up(rudely=fault.kind == "reset")
        else:
            self._send(fake._reply(call, fault), half=fault.kind == "half_body")

    do_GET = do_DELETE = do_POST

    def _send(self, reply: Reply, half: bool) -> None:
        length = str(len(reply.body))
        fields = [("content-type", reply.content_type), ("content-length", length), *reply.headers]
        head = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\nx-request-id: req_{time.time_ns()}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        body = reply.body[: len(reply.body) // 2] if half else reply.body
        self.wfile.write(head.encode() + body)  # one send: with two, the second waits for the first's receipt
        self.close_connection = self.close_connection or half

    def _hang_up(self, rudely: bool) -> None:
        """Ends the connection without a reply; rudely is a reset in place of an orderly end."""
        self.close_connection = True
        if rudely:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()  # the socket stays open while this reads from it
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the calls are kept in the server."""


def input_text(value: Any) -> str:
    """All the text that a request, a message or a part of one gives the model to read."""
    if isinstance(value, dict):
        return "".join(input_text(value.get(key)) for key in ("instructions", "input", "messages", "content", "text"))
    if isinstance(value, list):
        return "".join(map(input_text, value))
    return value if isinstance(value, str) else ""


def shared_length(one: str, other: str) -> int:
    """The number of characters with which both texts begin."""
    lengths = range(1, min(len(one), len(other)) + 1)
    return bisect_left(lengths, True, key=lambda length: one[:length] != other[:length])


def request_problem(endpoint: str, body: Json) -> str | None:
    """Why the service refuses a request; None where it does not."""
    for name in ("model", "input" if endpoint == "/v1/responses" else "messages"):
        if not body.get(name):
            return f"Missing required parameter: '{name}'."
    asked = (body.get("text") or {}).get("format") if endpoint == "/v1/responses" else body.get("response_format")
    if not asked or asked.get("type") != "json_schema":
        return None
    asked = asked if endpoint == "/v1/responses" else asked.get("json_schema", {})
    name, schema = asked.get("name", ""), asked.get("schema")
    if not re.fullmatch(r"[\w-]{1,64}", name, re.ASCII) or not isinstance(schema, dict):
        return "A json_schema format needs a name of letters, digits, _ and -, and a schema."
    if not asked.get("strict"):
        return None
    problem = next(schema_problems(schema), None)
    if schema.get("type") != "object":
        problem = f"schema must be a JSON Schema of 'type: \"object\"', got 'type: {schema.get('type')}'."
    return f"Invalid schema for response_format '{name}': {problem}" if problem else None


def schema_problems(schema: Any, where: tuple[str, ...] = ()) -> Iterator[str]:
    """What strict mode does not allow in a JSON schema."""
    if not isinstance(schema, dict):
        return
    for word in ("default", "oneOf"):
        if word in schema:
            yield f"In context={where}, '{word}' is not permitted."
    if "object" in (schema.get("type") or ()) or "properties" in schema or "additionalProperties" in schema:
        if schema.get("additionalProperties") is not False:
            yield f"In context={where}, 'additionalProperties' is required to be supplied and to be false."
        if sorted(schema.get("required", [])) != sorted(schema.get("properties", {})):
            yield f"In context={where}, 'required' must be an array including every key in properties."
    for group in ("properties", "$defs", "definitions"):
        for name, child in schema.get(group, {}).items():
            yield from schema_problems(child, (*where, group, name))
    for group in ("anyOf", "allOf", "prefixItems"):
        for place, child in enumerate(schema.get(group, [])):
            yield from schema_problems(child, (*where, group, str(place)))
    yield from schema_problems(schema.get("items"), (*where, "items"))


def spoil(text: str, kind: str) -> str:
    """What the model says, with the fault of this kind in it."""
    if kind in ("extra_key", "unknown_enum"):
        value = json.loads(text)
        if kind == "extra_key":
            value["surprise"] = 1
        elif holder := next(_outcomes(value), None):
            holder["outcome"] = "banana"
        else:
            value = {"outcome": "banana", "answer": value}
        return json.dumps(value, ensure_ascii=False)
    half = text[: len(text) // 2]
    prose = f"Here is what I found in the contract:\n\n{text}\n\nLet me know if you need anything else."
    spoilt = {"truncated": half, "content_filter": half, "prose": prose, "fenced": f"```json\n{text}\n```"}
    spoilt |= {"double_json": f"{text}\n{text}", "refusal": "I'm sorry, but I cannot help with that."}
    spoilt |= dict.fromkeys(("empty", "reasoning_only", "failed"), "")
    return spoilt.get(kind, text)


def usage(read: str, written: str, counts: tuple[int, int, int], details: bool) -> Json:
    """The tokens of one reply: read, of these cached, and written, by the endpoint's names for these."""
    made: Json = {f"{read}_tokens": counts[0], f"{written}_tokens": counts[2], "total_tokens": counts[0] + counts[2]}
    if details:
        made[f"{read}_tokens_details"] = {"cached_tokens": counts[1], "cache_write_tokens": 0}
        made[f"{written}_tokens_details"] = {"reasoning_tokens": 0}
    return made


def response_object(number: str, asked: Json, text: str, kind: str) -> Json:
    """The object of the Responses API, but for what both endpoints have."""
    part: Json = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    if kind == "refusal":
        part = {"type": "refusal", "refusal": text}
    status = "failed" if kind == "failed" else "incomplete" if kind in INCOMPLETE else "completed"
    message = {"id": f"msg_{number}", "type": "message", "role": "assistant", "status": status, "content": [part]}
    output = {"reasoning_only": [{"id": f"rs_{number}", "type": "reasoning", "summary": []}], "failed": []}
    made = {"id": f"resp_{number}", "object": "response", "created_at": _now(), "status": status}
    made |= {"parallel_tool_calls": False, "tool_choice": "auto", "tools": [], "metadata": asked.get("metadata") or {}}
    made |= {key: asked.get(key) for key in ("instructions", "temperature", "top_p")}
    made["error"] = {"code": "server_error", "message": ERRORS["500"][3]} if kind == "failed" else None
    made["incomplete_details"] = {"reason": INCOMPLETE[kind]} if kind in INCOMPLETE else None
    made["output"] = output.get(kind, [message])
    return made


def chat_object(number: str, asked: Json, text: str, kind: str) -> Json:
    """The object of the Chat Completions API, but for what both endpoints have."""
    made = {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": _now(), "choices": []}
    if kind == "failed":  # this object has no status
        return made | _error(ERRORS["500"][3], "server_error", "server_error")
    refused = kind == "refusal"
    message = {"role": "assistant", "content": None if refused else text, "refusal": text if refused else None}
    reason = {None: "stop", "max_output_tokens": "length"}.get(INCOMPLETE.get(kind), "content_filter")
    made["choices"] = [{"index": 0, "message": message, "finish_reason": reason, "logprobs": None}]
    return made


def form_fields(content_type: str, raw: bytes) -> dict[str, tuple[str, bytes]]:
    """The fields of a multipart form: file name and content of each, by the name of the field."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)
    parts = raw.split(b"--" + boundary[1].encode())[1:-1] if boundary else []
    fields = {}
    for head, _, data in (part.partition(b"\r\n\r\n") for part in parts):
        name, filename = (re.search(rb'\b%s="([^"]*)"' % word, head) for word in (b"name", b"filename"))
        if name:
            fields[name[1].decode()] = (filename[1].decode() if filename else "", data.removesuffix(b"\r\n"))
    return fields


def row_problems(endpoint: str, raw: bytes) -> Iterator[Json]:
    """What keeps the input file of a batch from being run at all."""
    names: set[str] = set()
    if not raw.strip():
        yield _problem("empty_file", None, "The batch input file is empty.")
    for line, text in enumerate(raw.splitlines(), 1):
        try:
            row = json.loads(text)
            name, url, _ = row["custom_id"], row["url"], row["body"]["model"]
        except (ValueError, KeyError, TypeError):
            yield _problem("invalid_json_line", line, "This line is no valid request.")
            continue
        if name in names:
            yield _problem("duplicate_custom_id", line, f"The custom_id '{name}' is used more than once.")
        if url != endpoint:
            yield _problem("invalid_url", line, "The URL provided for this request does not match the batch endpoint.")
        names.add(name)


def _outcomes(value: Any) -> Iterator[Json]:
    """The objects inside an answer that state an outcome."""
    if isinstance(value, dict) and "outcome" in value:
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _outcomes(child)


def _problem(code: str, line: int | None, message: str) -> Json:
    return {"code": code, "line": line, "message": message, "param": None}


def _error(message: str, code: str | None = None, kind: str = "invalid_request_error") -> Json:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _json(status: int, value: Json, *headers: tuple[str, str]) -> Reply:
    return Reply(status, json.dumps(value).encode(), "application/json", headers)


def _known(kind: str, kinds: set[str]) -> None:
    """A misspelt fault would leave a test that tests nothing."""
    if kind not in kinds:
        raise ValueError(f"{kind!r} is none of {sorted(kinds)}")


def _now() -> int:
    return int(time.time())
