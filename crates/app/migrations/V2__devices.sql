-- Devices that report for a person or a place. A secret is kept as a keyed code of it and shown once. `gateway` is the
-- device that may speak for this one. `last_seen_at` and `battery` run behind by up to ten seconds. 设备
CREATE TABLE device (
    id BIGINT PRIMARY KEY,
    serial TEXT NOT NULL,
    kind TEXT NOT NULL,
    protocol TEXT NOT NULL,
    vendor TEXT NOT NULL DEFAULT '',
    person BIGINT,
    region BIGINT NOT NULL,
    place TEXT NOT NULL DEFAULT '',
    gateway BIGINT,
    secret_hash BLOB NOT NULL,
    beat_seconds BIGINT NOT NULL CHECK (beat_seconds > 0),
    battery BIGINT,
    last_seen_at BIGINT,
    state TEXT NOT NULL CHECK (state IN ('active', 'retired')),
    added_at BIGINT NOT NULL,
    added_by BIGINT NOT NULL,
    retired_at BIGINT,
    retired_why TEXT,
    CONSTRAINT one_serial UNIQUE (serial),
    CHECK ((state = 'retired') = (retired_at IS NOT NULL))
) STRICT;
CREATE INDEX device_region ON device (region, id);
CREATE INDEX device_person ON device (person);
CREATE INDEX device_gateway ON device (gateway);

-- Frames that opened an incident, as they came, written in the same transaction. `code` is the same for the same
-- real-world event, however often and by whatever way it arrives. 报警报文
CREATE TABLE alarm_frame (
    id BIGINT PRIMARY KEY,
    code BLOB NOT NULL,
    device BIGINT,
    serial TEXT NOT NULL,
    protocol TEXT NOT NULL,
    kind TEXT NOT NULL,
    seq BIGINT,
    device_at BIGINT,
    received_at BIGINT NOT NULL,
    verified BIGINT NOT NULL,
    incident BIGINT,
    raw BLOB NOT NULL,
    CONSTRAINT one_alarm UNIQUE (code)
) STRICT;
CREATE INDEX alarm_frame_serial ON alarm_frame (serial, received_at);

-- Readings as they came, many in a row: docs/decisions/0009-device-readings.md. 设备数据
CREATE TABLE reading_batch (
    id BIGINT PRIMARY KEY,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    frames BIGINT NOT NULL CHECK (frames > 0),
    body BLOB NOT NULL
) STRICT;
CREATE INDEX reading_batch_last ON reading_batch (last_at);

-- Frames that could not be taken, with the reason a device maker can act on; the last hundred of each sender. 拒收报文
CREATE TABLE rejected_frame (
    id BIGINT PRIMARY KEY,
    serial TEXT NOT NULL,
    protocol TEXT NOT NULL,
    peer TEXT NOT NULL,
    error TEXT NOT NULL,
    reason TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    raw BLOB NOT NULL
) STRICT;
CREATE INDEX rejected_frame_serial ON rejected_frame (serial, id);
