-- Who was last seen when, who has not been seen for too long, and whose duty it is to look. 最近联系 失联 巡访

-- One clock a person: the newest trace of life. INVARIANT: `at` never goes back. 最近联系
CREATE TABLE last_sighting (
    person BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    recorded_at BIGINT NOT NULL
) STRICT;

-- A short history: the newest trace of each kind in each span of time (see signals/sightings). 联系记录
CREATE TABLE sighting (
    person BIGINT NOT NULL,
    kind TEXT NOT NULL,
    slot BIGINT NOT NULL,
    at BIGINT NOT NULL,
    source TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (person, kind, slot)
) STRICT;
CREATE INDEX sighting_slot ON sighting (slot);

-- Who is watched, how closely, in whose charge. `look_at` is when the clock is worth reading again: never later than
-- the moment somebody becomes overdue, because new traces of life only move that moment on. 关注名单
CREATE TABLE watch (
    person BIGINT PRIMARY KEY,
    region BIGINT NOT NULL,
    grade TEXT NOT NULL CHECK (grade IN ('high', 'key', 'general')),
    why TEXT NOT NULL,
    since BIGINT NOT NULL,
    look_at BIGINT NOT NULL,
    charge BIGINT,
    ended_at BIGINT,
    end_why TEXT,
    CHECK ((ended_at IS NULL) = (end_why IS NULL))
) STRICT;
CREATE INDEX watch_look ON watch (look_at) WHERE ended_at IS NULL;
CREATE INDEX watch_region ON watch (region, person, charge) WHERE ended_at IS NULL;
CREATE INDEX watch_charge ON watch (charge, person) WHERE ended_at IS NULL;

-- A time in which nobody saw somebody for too long. 失联
CREATE TABLE silence (
    id BIGINT PRIMARY KEY,
    person BIGINT NOT NULL,
    region BIGINT NOT NULL,
    grade TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    incident BIGINT,
    order_id BIGINT,
    duty BIGINT,
    closed_at BIGINT,
    closed_by TEXT,
    CHECK (from_at <= due_at AND due_at <= opened_at),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL))
) STRICT;
CREATE UNIQUE INDEX silence_open ON silence (person) WHERE closed_at IS NULL;
CREATE INDEX silence_region ON silence (region, due_at) WHERE closed_at IS NULL;
CREATE INDEX silence_opened ON silence (opened_at);
CREATE INDEX silence_person ON silence (person, id);

-- A device that has not been heard of when it should have been. 设备失联
CREATE TABLE device_silence (
    id BIGINT PRIMARY KEY,
    device BIGINT NOT NULL,
    region BIGINT NOT NULL,
    from_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    opened_at BIGINT NOT NULL,
    incident BIGINT,
    closed_at BIGINT
) STRICT;
CREATE UNIQUE INDEX device_silence_open ON device_silence (device) WHERE closed_at IS NULL;
CREATE INDEX device_silence_region ON device_silence (region, due_at) WHERE closed_at IS NULL;

-- A duty to see somebody: standing ones have a new due time after every success, others end with it. 巡访任务
CREATE TABLE visit_duty (
    id BIGINT PRIMARY KEY,
    person BIGINT NOT NULL,
    region BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('round', 'phone', 'knock', 'extra')),
    occasion TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    last_success_at BIGINT,
    first_missed_at BIGINT,
    missed BIGINT NOT NULL DEFAULT 0,
    look_at BIGINT NOT NULL,
    level TEXT,
    incident BIGINT,
    ended_at BIGINT,
    end_why TEXT,
    CONSTRAINT one_duty UNIQUE (person, kind, occasion),
    CHECK ((first_missed_at IS NULL) = (missed = 0)),
    CHECK ((ended_at IS NULL) = (end_why IS NULL))
) STRICT;
CREATE INDEX visit_duty_region ON visit_duty (region, due_at) WHERE ended_at IS NULL;
CREATE INDEX visit_duty_look ON visit_duty (look_at) WHERE ended_at IS NULL;

-- Every try to see somebody, met or not: eight points, answers, words, photograph. 巡访记录
CREATE TABLE visit_try (
    id BIGINT PRIMARY KEY,
    duty BIGINT NOT NULL,
    person BIGINT NOT NULL,
    region BIGINT NOT NULL,
    at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    by_account BIGINT NOT NULL,
    way TEXT NOT NULL,
    met TEXT NOT NULL,
    points TEXT NOT NULL,
    answers TEXT NOT NULL,
    note TEXT NOT NULL,
    photo_kind TEXT,
    photo_sha256 BLOB,
    photo BLOB,
    follow_up TEXT NOT NULL DEFAULT '[]',
    CHECK ((photo IS NULL) = (photo_kind IS NULL) AND (photo IS NULL) = (photo_sha256 IS NULL))
) STRICT;
CREATE INDEX visit_try_person ON visit_try (person, at);
CREATE INDEX visit_try_region ON visit_try (region, at);
CREATE INDEX visit_try_photo ON visit_try (photo_sha256) WHERE photo_sha256 IS NOT NULL;

-- Days somebody in charge of elders is away, and who stands in. 请假代班
CREATE TABLE duty_leave (
    id BIGINT PRIMARY KEY,
    account BIGINT NOT NULL,
    from_day TEXT NOT NULL,
    to_day TEXT NOT NULL,
    cover BIGINT,
    why TEXT NOT NULL,
    entered_at BIGINT NOT NULL,
    entered_by BIGINT NOT NULL,
    ended_at BIGINT,
    CHECK (to_day >= from_day),
    CHECK (cover IS NULL OR cover <> account)
) STRICT;
CREATE INDEX duty_leave_open ON duty_leave (to_day) WHERE ended_at IS NULL;

-- Readings of water meters of the last days, and what was last said of each meter. 水表读数
CREATE TABLE meter_reading (
    meter BIGINT NOT NULL,
    at BIGINT NOT NULL,
    person BIGINT NOT NULL,
    millilitres BIGINT NOT NULL CHECK (millilitres >= 0),
    PRIMARY KEY (meter, at)
) STRICT;
CREATE INDEX meter_reading_at ON meter_reading (at);

CREATE TABLE meter (
    id BIGINT PRIMARY KEY,
    person BIGINT NOT NULL,
    region BIGINT NOT NULL,
    step_millilitres BIGINT NOT NULL CHECK (step_millilitres > 0),
    last_at BIGINT NOT NULL,
    last_millilitres BIGINT NOT NULL,
    look_at BIGINT NOT NULL,
    low_since BIGINT,
    low_incident BIGINT,
    high_day TEXT,
    leak_since BIGINT
) STRICT;
CREATE INDEX meter_look ON meter (look_at);
CREATE INDEX meter_person ON meter (person);
