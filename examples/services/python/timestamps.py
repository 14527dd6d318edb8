"""Times are RFC 3339 text in the database and google.protobuf.Timestamp on the wire."""

from google.protobuf.timestamp_pb2 import Timestamp


def now() -> str:
    time = Timestamp()
    time.GetCurrentTime()
    return time.ToJsonString()


def timestamp(text: str) -> Timestamp:
    time = Timestamp()
    time.FromJsonString(text)
    return time
