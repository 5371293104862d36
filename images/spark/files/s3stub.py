"""A pretend S3 server, just enough for the training run of the class-data archive (train.py).

It keeps objects in memory, checks no signature and is never part of a running cluster: its only purpose is that the
S3 client of the image walks its usual paths (put, multipart, list, copy, delete), so that their classes are archived.
"""

import hashlib
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree
from xml.sax.saxutils import escape

OBJECTS = {}
UPLOADS = {}
LOCK = threading.Lock()
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
ISO = "2026-01-01T00:00:00.000Z"
NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


def etag(data):
    return '"' + hashlib.md5(data, usedforsecurity=False).hexdigest() + '"'


def unchunk(body):
    """The payload of an `aws-chunked` body: `<hex size>;chunk-signature=…\r\n<data>\r\n`, ended by a chunk of size 0."""
    out, at = b"", 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if size == 0:
            return out
        out += body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def reply(self, status, body=b"", headers=()):
        if isinstance(body, str):
            body = ('<?xml version="1.0" encoding="UTF-8"?>\n' + body).encode()
        self.send_response(status)
        self.send_header("x-amz-request-id", "0")
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            self.send_header(name, value)
        if body and "content-type" not in names:
            self.send_header("Content-Type", "application/xml")
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def absent(self):
        self.reply(404, "<Error><Code>NoSuchKey</Code><Message>not here</Message></Error>")

    def target(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        bucket, _, key = urllib.parse.unquote(url.path).lstrip("/").partition("/")
        return bucket, key, query

    def body(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "x-amz-decoded-content-length" in self.headers:
            return unchunk(raw)
        return raw

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        bucket, key, query = self.target()
        if "uploads" in query:
            return self.reply(200, f"<ListMultipartUploadsResult {NS}><Bucket>{bucket}</Bucket></ListMultipartUploadsResult>")
        if key == "":
            return self.list_objects(bucket, query) if self.command == "GET" else self.reply(200)
        data = OBJECTS.get(key)
        if data is None:
            return self.absent()
        headers = [("ETag", etag(data)), ("Last-Modified", DATE), ("Content-Type", "application/octet-stream")]
        status, part = 200, data
        span = self.headers.get("Range")
        if span:
            first, _, last = span.removeprefix("bytes=").partition("-")
            start, stop = int(first), min(int(last) + 1 if last else len(data), len(data))
            status, part = 206, data[start:stop]
            headers.append(("Content-Range", f"bytes {start}-{stop - 1}/{len(data)}"))
        headers.append(("Content-Length", str(len(part))))
        return self.reply(status, part, headers)

    def list_objects(self, bucket, query):
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        keys, folders = [], []
        with LOCK:
            names = sorted(name for name in OBJECTS if name.startswith(prefix))
        for name in names:
            rest = name[len(prefix) :]
            if delimiter and delimiter in rest:
                folder = prefix + rest.split(delimiter)[0] + delimiter
                if folder not in folders:
                    folders.append(folder)
            else:
                keys.append(name)
        rows = "".join(
            f"<Contents><Key>{escape(k)}</Key><LastModified>{ISO}</LastModified><ETag>{escape(etag(OBJECTS[k]))}</ETag>"
            f"<Size>{len(OBJECTS[k])}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for k in keys
        ) + "".join(f"<CommonPrefixes><Prefix>{escape(f)}</Prefix></CommonPrefixes>" for f in folders)
        self.reply(
            200,
            f"<ListBucketResult {NS}><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><MaxKeys>1000</MaxKeys>"
            f"<KeyCount>{len(keys) + len(folders)}</KeyCount><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>",
        )

    def do_PUT(self):
        _, key, query = self.target()
        data = self.body()
        source = self.headers.get("x-amz-copy-source")
        if source:
            data = OBJECTS[urllib.parse.unquote(source).lstrip("/").partition("/")[2]]
            OBJECTS[key] = data
            return self.reply(
                200,
                f"<CopyObjectResult {NS}><LastModified>{ISO}</LastModified><ETag>{escape(etag(data))}</ETag></CopyObjectResult>",
            )
        if "uploadId" in query:
            UPLOADS[query["uploadId"]][int(query["partNumber"])] = data
        else:
            with LOCK:
                OBJECTS[key] = data
        return self.reply(200, b"", [("ETag", etag(data))])

    def do_POST(self):
        bucket, key, query = self.target()
        body = self.body()
        if "uploads" in query:
            with LOCK:
                upload = str(len(UPLOADS) + 1)
                UPLOADS[upload] = {}
            return self.reply(
                200,
                f"<InitiateMultipartUploadResult {NS}><Bucket>{bucket}</Bucket><Key>{escape(key)}</Key>"
                f"<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>",
            )
        if "uploadId" in query:
            parts = UPLOADS[query["uploadId"]]
            data = b"".join(parts[number] for number in sorted(parts))
            with LOCK:
                OBJECTS[key] = data
            return self.reply(
                200,
                f"<CompleteMultipartUploadResult {NS}><Bucket>{bucket}</Bucket><Key>{escape(key)}</Key>"
                f"<ETag>{escape(etag(data))}</ETag></CompleteMultipartUploadResult>",
            )
        if "delete" in query:
            for node in ElementTree.fromstring(body).iter():
                if node.tag.rpartition("}")[2] == "Key":
                    with LOCK:
                        OBJECTS.pop(node.text, None)
            return self.reply(200, f"<DeleteResult {NS}></DeleteResult>")
        return self.absent()

    def do_DELETE(self):
        _, key, query = self.target()
        if "uploadId" in query:
            UPLOADS.pop(query["uploadId"], None)
        else:
            with LOCK:
                OBJECTS.pop(key, None)
        self.reply(204)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
