-- One text for both databases. Types are BIGINT, DOUBLE, TEXT and BLOB; the store turns the words into what each
-- database calls them (see store/dialect.rs). Instants are UTC microseconds, days are ISO text, ids grow with time.

-- Regions: number ranges with validity dates. 行政区划
CREATE TABLE region (
    code BIGINT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT,
    level BIGINT NOT NULL CHECK (level BETWEEN 1 AND 5),
    name TEXT NOT NULL,
    parent BIGINT NOT NULL,
    successor BIGINT,
    PRIMARY KEY (code, valid_from),
    CHECK (valid_to IS NULL OR valid_to > valid_from)
) STRICT;
CREATE INDEX region_parent ON region (parent);

-- Settings of the installed city pack and of the machine. 设置
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Accounts, posts, sessions, tokens. 账号 岗位
CREATE TABLE account (
    id BIGINT PRIMARY KEY,
    username TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT,
    totp_secret BLOB,
    totp_step BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    CONSTRAINT one_username UNIQUE (username)
) STRICT;

-- Wrong answers at the door, by the name that was typed, whether or not an account has it: otherwise the lock would
-- tell which names exist.
CREATE TABLE sign_in_attempt (
    username TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    locked_until BIGINT NOT NULL
) STRICT;
CREATE INDEX sign_in_attempt_last ON sign_in_attempt (last_at);

CREATE TABLE post (
    id BIGINT PRIMARY KEY,
    account BIGINT NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    region_lo BIGINT NOT NULL,
    region_hi BIGINT NOT NULL,
    provider BIGINT,
    carer BIGINT,
    granted_at BIGINT NOT NULL,
    granted_by BIGINT NOT NULL,
    ended_at BIGINT,
    CHECK (region_lo <= region_hi)
) STRICT;
CREATE INDEX post_account ON post (account);

-- A session without a post is half way through the door: the password was right, a code or a choice is missing.
CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,
    id BIGINT NOT NULL,
    account BIGINT NOT NULL REFERENCES account (id),
    post BIGINT REFERENCES post (id),
    proved_at BIGINT,
    pending_secret BLOB,
    agent TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    CONSTRAINT one_session UNIQUE (id),
    CONSTRAINT proved_before_post CHECK (post IS NULL OR proved_at IS NOT NULL)
) STRICT;
CREATE INDEX session_account ON session (account);

CREATE TABLE api_token (
    id BIGINT PRIMARY KEY,
    token_hash BLOB NOT NULL,
    name TEXT NOT NULL,
    account BIGINT NOT NULL,
    post BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    CONSTRAINT one_token UNIQUE (token_hash)
) STRICT;

CREATE TABLE one_time_code (
    code_hash BLOB PRIMARY KEY,
    account BIGINT,
    purpose TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
) STRICT;
CREATE INDEX one_time_code_account ON one_time_code (account);

CREATE TABLE idempotency (
    account BIGINT NOT NULL,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (account, key)
) STRICT;

-- Evidence: one row per thing that happened, with a keyed code; sealed in signed batches. 留痕
CREATE TABLE evidence (
    seq SERIAL64,
    at BIGINT NOT NULL,
    by_account BIGINT NOT NULL,
    role TEXT NOT NULL,
    act TEXT NOT NULL,
    subject BIGINT NOT NULL,
    region BIGINT NOT NULL,
    detail TEXT NOT NULL,
    digest BLOB,
    mac BLOB NOT NULL
) STRICT;
CREATE INDEX evidence_subject ON evidence (subject, seq);

CREATE TABLE seal (
    batch BIGINT PRIMARY KEY,
    from_seq BIGINT NOT NULL,
    to_seq BIGINT NOT NULL,
    rows_sealed BIGINT NOT NULL,
    digest BLOB NOT NULL,
    sealed_at BIGINT NOT NULL,
    signature BLOB NOT NULL
) STRICT;
CREATE INDEX seal_to_seq ON seal (to_seq);

-- Outbox: what others are to be told after the commit. 待发事项
CREATE TABLE outbox (
    seq SERIAL64,
    at BIGINT NOT NULL,
    topic TEXT NOT NULL,
    region BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    payload TEXT NOT NULL
) STRICT;

CREATE TABLE outbox_cursor (
    reader TEXT PRIMARY KEY,
    seq BIGINT NOT NULL
) STRICT;

-- People. 老年人
-- `living`, `ability`, `hardships` (one bit a category), `hukou_region` and `state` say what the facts say today, for
-- lists and cards. `code` is a keyed code over the whole record, facts and contacts included; `batch` is the evidence
-- the record came in with. `kind` holds everything a list is narrowed by, but for age and place, in one number: an index
-- of it leads straight to the few of a rare kind (see `parties/people/search/kinds.rs`).
CREATE TABLE person (
    id BIGINT PRIMARY KEY,
    region BIGINT NOT NULL,
    name TEXT NOT NULL,
    initials TEXT NOT NULL,
    sex BIGINT NOT NULL CHECK (sex IN (0, 1, 2, 9)),
    birth TEXT NOT NULL,
    state TEXT NOT NULL,
    living TEXT NOT NULL DEFAULT '',
    ability TEXT NOT NULL DEFAULT '',
    hardships BIGINT NOT NULL DEFAULT 0,
    id_no BLOB,
    id_index BLOB,
    id_tail BIGINT,
    phone BLOB,
    phone_index BIGINT,
    phone_tail BIGINT,
    address TEXT NOT NULL,
    lon DOUBLE,
    lat DOUBLE,
    hukou_region BIGINT,
    language TEXT NOT NULL DEFAULT '',
    hearing TEXT NOT NULL DEFAULT '',
    batch BIGINT NOT NULL,
    code BLOB NOT NULL,
    entered_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    kind BIGINT NOT NULL GENERATED ALWAYS AS (
        CASE state WHEN 'active' THEN 0 WHEN 'moved' THEN 1 WHEN 'in_institution' THEN 2 WHEN 'hospital' THEN 3
            WHEN 'missing' THEN 4 WHEN 'deceased' THEN 5 ELSE 7 END
        + 8 * CASE ability WHEN '' THEN 0 WHEN 'intact' THEN 1 WHEN 'mild' THEN 2 WHEN 'moderate' THEN 3
            WHEN 'severe' THEN 4 WHEN 'complete' THEN 5 ELSE 7 END
        + 64 * CASE living WHEN '' THEN 0 WHEN 'alone' THEN 1 WHEN 'with_spouse' THEN 2 WHEN 'with_children' THEN 3
            WHEN 'with_parents' THEN 4 WHEN 'with_siblings' THEN 5 WHEN 'with_other_relatives' THEN 6
            WHEN 'with_non_relatives' THEN 7 WHEN 'in_care_institution' THEN 8 ELSE 15 END
        + 1024 * hardships) STORED,
    CONSTRAINT one_id_number UNIQUE (id_index)
) STRICT;
-- All that a list can be ordered by, each with everything it can be narrowed by, so that looking through a city's people
-- reads no row of them. The last two are for the last entered of a county (six digits) and of a township (nine).
CREATE INDEX person_region ON person (region, id, birth, kind);
CREATE INDEX person_kind ON person (kind, region, id, birth);
CREATE INDEX person_name ON person (name, region, id, birth, kind);
CREATE INDEX person_initials ON person (initials, region, id, birth, kind);
CREATE INDEX person_birth ON person (birth, region, id, kind);
CREATE INDEX person_county ON person ((region / 1000000), id);
CREATE INDEX person_township ON person ((region / 1000), id);
CREATE INDEX person_id_tail ON person (id_tail);
CREATE INDEX person_phone ON person (phone_index);
CREATE INDEX person_phone_tail ON person (phone_tail);

CREATE TABLE person_secret (
    person BIGINT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('bank_card', 'health')),
    value BLOB NOT NULL,
    known_at BIGINT NOT NULL,
    PRIMARY KEY (person, kind)
) STRICT;

CREATE TABLE person_fact (
    id BIGINT PRIMARY KEY,
    person BIGINT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    source TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT,
    known_at BIGINT NOT NULL,
    known_to BIGINT,
    by_account BIGINT NOT NULL,
    CHECK (valid_to IS NULL OR valid_to > valid_from),
    CHECK (known_to IS NULL OR known_to >= known_at)
) STRICT;
CREATE INDEX person_fact_person ON person_fact (person, kind);
CREATE INDEX person_fact_hardship ON person_fact (person, value) WHERE kind = 'hardship';

CREATE TABLE contact (
    id BIGINT PRIMARY KEY,
    person BIGINT NOT NULL,
    rank BIGINT NOT NULL,
    name TEXT NOT NULL,
    relation TEXT NOT NULL,
    phone BLOB NOT NULL,
    phone_index BIGINT NOT NULL
) STRICT;
CREATE INDEX contact_person ON contact (person, rank);
CREATE INDEX contact_phone ON contact (phone_index);

-- Imports of lists. The file and what was found in it are kept encrypted, apart from the row that changes with every
-- step: an update writes the whole row anew. 导入
CREATE TABLE import (
    id BIGINT PRIMARY KEY,
    file_name TEXT NOT NULL,
    file_bytes BIGINT NOT NULL,
    choice TEXT NOT NULL,
    layout BLOB,
    state TEXT NOT NULL CHECK (state IN ('reading', 'ready', 'storing', 'done', 'cancelled', 'failed')),
    rows_total BIGINT NOT NULL DEFAULT 0,
    rows_done BIGINT NOT NULL DEFAULT 0,
    stored_to BIGINT NOT NULL DEFAULT 0,
    added BIGINT NOT NULL DEFAULT 0,
    changed BIGINT NOT NULL DEFAULT 0,
    unchanged BIGINT NOT NULL DEFAULT 0,
    rejected BIGINT NOT NULL DEFAULT 0,
    warned BIGINT NOT NULL DEFAULT 0,
    skipped BIGINT NOT NULL DEFAULT 0,
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    attempts BIGINT NOT NULL DEFAULT 0,
    worker BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    began_at BIGINT NOT NULL DEFAULT 0,
    began_done BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    created_role TEXT NOT NULL,
    created_lo BIGINT NOT NULL,
    created_hi BIGINT NOT NULL,
    accepted_at BIGINT,
    accepted_by BIGINT,
    accepted_role TEXT,
    changed_at BIGINT NOT NULL,
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL)),
    CHECK (rows_done <= rows_total)
) STRICT;
CREATE INDEX import_open ON import (id) WHERE state IN ('reading', 'storing');

CREATE TABLE import_file (
    import BIGINT PRIMARY KEY REFERENCES import (id),
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE import_part (
    import BIGINT NOT NULL,
    part BIGINT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (import, part)
) STRICT;

-- Providers and carers. 服务商 服务人员
CREATE TABLE provider (
    id BIGINT PRIMARY KEY,
    region BIGINT NOT NULL,
    name TEXT NOT NULL,
    credit_code TEXT NOT NULL,
    contact TEXT NOT NULL DEFAULT '',
    phone TEXT NOT NULL,
    address TEXT NOT NULL DEFAULT '',
    contract_no TEXT NOT NULL,
    contract_from TEXT NOT NULL,
    contract_to TEXT NOT NULL,
    area_lo BIGINT NOT NULL,
    area_hi BIGINT NOT NULL,
    entered_at BIGINT NOT NULL,
    CONSTRAINT one_credit_code UNIQUE (credit_code),
    CHECK (contract_to >= contract_from)
) STRICT;
CREATE INDEX provider_region ON provider (region);

CREATE TABLE provider_service (
    provider BIGINT NOT NULL,
    service TEXT NOT NULL,
    PRIMARY KEY (provider, service)
) STRICT;

CREATE TABLE carer (
    id BIGINT PRIMARY KEY,
    region BIGINT NOT NULL,
    provider BIGINT NOT NULL REFERENCES provider (id),
    name TEXT NOT NULL,
    sex BIGINT NOT NULL,
    birth TEXT NOT NULL,
    phone BLOB NOT NULL,
    phone_index BIGINT NOT NULL,
    lon DOUBLE,
    lat DOUBLE,
    languages TEXT NOT NULL DEFAULT '',
    -- Bit 0 is Monday, bit 6 Sunday.
    work_days BIGINT NOT NULL DEFAULT 127 CHECK (work_days BETWEEN 0 AND 127),
    work_from BIGINT NOT NULL DEFAULT 480,
    work_to BIGINT NOT NULL DEFAULT 1080,
    takes_at_once BIGINT NOT NULL DEFAULT 0,
    on_leave_from TEXT,
    on_leave_to TEXT,
    stars BIGINT NOT NULL DEFAULT 0,
    ratings BIGINT NOT NULL DEFAULT 0,
    bookings BIGINT NOT NULL DEFAULT 0,
    left_at BIGINT
) STRICT;
CREATE INDEX carer_provider ON carer (provider);
CREATE INDEX carer_region ON carer (region);

CREATE TABLE carer_skill (
    carer BIGINT NOT NULL,
    skill TEXT NOT NULL,
    certificate_no TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT NOT NULL,
    PRIMARY KEY (carer, skill, valid_from)
) STRICT;
CREATE INDEX carer_skill_expiry ON carer_skill (valid_to);

-- Catalogue and programmes, versioned by day. A funder's account belongs to the region of its level (1 province,
-- 2 city, 3 county)
-- the person lives in: ledger_account (owner = region code, kind = funder, code = funder). 服务目录 补贴项目
CREATE TABLE service_item (
    code TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT,
    category TEXT NOT NULL,
    name TEXT NOT NULL,
    help_kind TEXT NOT NULL,
    unit TEXT NOT NULL,
    minutes_std BIGINT NOT NULL CHECK (minutes_std > 0),
    minutes_min BIGINT NOT NULL CHECK (minutes_min > 0),
    price_fen BIGINT NOT NULL CHECK (price_fen >= 0),
    workers BIGINT NOT NULL,
    same_sex BIGINT NOT NULL,
    who_may TEXT NOT NULL,
    one_of_them TEXT NOT NULL,
    evidence TEXT NOT NULL,
    contraindication TEXT NOT NULL,
    price_low_fen BIGINT NOT NULL DEFAULT 0,
    price_high_fen BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (code, valid_from)
) STRICT;

CREATE TABLE programme (
    code TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_to TEXT,
    name TEXT NOT NULL,
    asset TEXT NOT NULL CHECK (asset IN ('fen', 'minutes')),
    pick_order BIGINT NOT NULL,
    covers TEXT NOT NULL,
    rule TEXT NOT NULL DEFAULT '{}',
    status TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL,
    PRIMARY KEY (code, valid_from)
) STRICT;

CREATE TABLE programme_funder (
    programme TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    funder TEXT NOT NULL,
    name TEXT NOT NULL,
    level BIGINT NOT NULL,
    weight BIGINT NOT NULL CHECK (weight > 0),
    PRIMARY KEY (programme, valid_from, funder)
) STRICT;

CREATE TABLE entitlement (
    id BIGINT PRIMARY KEY,
    person BIGINT NOT NULL,
    region BIGINT NOT NULL,
    programme TEXT NOT NULL,
    programme_from TEXT NOT NULL DEFAULT '',
    month TEXT NOT NULL,
    asset TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    account BIGINT NOT NULL,
    issue BIGINT NOT NULL DEFAULT 0,
    why TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    CONSTRAINT one_right_a_month UNIQUE (person, month, programme)
) STRICT;
CREATE INDEX entitlement_programme ON entitlement (month, programme, id);

-- The ledger. 账户 转账
CREATE TABLE ledger_account (
    id BIGINT PRIMARY KEY,
    asset TEXT NOT NULL,
    kind TEXT NOT NULL,
    owner BIGINT NOT NULL,
    code TEXT NOT NULL,
    region BIGINT NOT NULL,
    name TEXT NOT NULL,
    guarded BIGINT NOT NULL,
    debits_pending BIGINT NOT NULL DEFAULT 0 CHECK (debits_pending >= 0),
    debits_posted BIGINT NOT NULL DEFAULT 0 CHECK (debits_posted >= 0),
    credits_pending BIGINT NOT NULL DEFAULT 0 CHECK (credits_pending >= 0),
    credits_posted BIGINT NOT NULL DEFAULT 0 CHECK (credits_posted >= 0),
    CONSTRAINT one_ledger_account UNIQUE (owner, kind, code, asset),
    CONSTRAINT never_overdrawn CHECK (guarded = 0 OR debits_posted + debits_pending <= credits_posted)
) STRICT;
CREATE INDEX ledger_account_kind ON ledger_account (kind, region);

CREATE TABLE ledger_transfer (
    id BIGINT PRIMARY KEY,
    -- Not IN: SQLite builds a table of the words for every row that is checked against more than two.
    kind TEXT NOT NULL CHECK (kind = 'posted' OR kind = 'pending' OR kind = 'post_pending' OR kind = 'void_pending'),
    debit BIGINT NOT NULL REFERENCES ledger_account (id),
    credit BIGINT NOT NULL REFERENCES ledger_account (id),
    asset TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0 OR kind = 'void_pending' AND amount = 0),
    pending BIGINT,
    subject BIGINT NOT NULL,
    region BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_account BIGINT NOT NULL,
    CONSTRAINT held_once UNIQUE (pending),
    CHECK ((pending IS NULL) = (kind IN ('posted', 'pending'))),
    CHECK (debit <> credit)
) STRICT;
CREATE INDEX ledger_transfer_subject ON ledger_transfer (subject);
CREATE INDEX ledger_transfer_debit ON ledger_transfer (debit, id);
CREATE INDEX ledger_transfer_credit ON ledger_transfer (credit, id);

-- Calls and orders. 来电 工单
CREATE TABLE call (
    id BIGINT PRIMARY KEY,
    external_id TEXT NOT NULL,
    line TEXT NOT NULL,
    region BIGINT NOT NULL,
    number BLOB NOT NULL,
    number_index BIGINT NOT NULL,
    number_shown TEXT NOT NULL,
    rang_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    answered_at BIGINT,
    answered_by BIGINT,
    person BIGINT,
    note TEXT NOT NULL DEFAULT '',
    closed_at BIGINT,
    closed_by BIGINT,
    outcome TEXT,
    CONSTRAINT one_call UNIQUE (line, external_id),
    CHECK ((answered_at IS NULL) = (answered_by IS NULL)),
    CHECK ((closed_at IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX call_open ON call (rang_at) WHERE closed_at IS NULL;
CREATE INDEX call_person ON call (person, rang_at);
CREATE INDEX call_number ON call (number_index, rang_at);

CREATE TABLE orders (
    id BIGINT PRIMARY KEY,
    region BIGINT NOT NULL,
    person BIGINT NOT NULL,
    service TEXT NOT NULL,
    service_from TEXT NOT NULL,
    channel TEXT NOT NULL,
    call BIGINT,
    note TEXT NOT NULL,
    start_at BIGINT NOT NULL,
    end_at BIGINT NOT NULL,
    minutes BIGINT NOT NULL CHECK (minutes > 0),
    price_fen BIGINT NOT NULL CHECK (price_fen >= 0),
    own_fen BIGINT NOT NULL CHECK (own_fen >= 0 AND own_fen <= price_fen),
    state TEXT NOT NULL,
    placed_at BIGINT NOT NULL,
    placed_by BIGINT NOT NULL,
    provider BIGINT,
    carer BIGINT,
    partner BIGINT,
    offered_at BIGINT,
    offered_by BIGINT,
    accepted_at BIGINT,
    checked_in_at BIGINT,
    checked_out_at BIGINT,
    confirmed_at BIGINT,
    confirmed_by TEXT,
    settled_at BIGINT,
    settled_by BIGINT,
    cancelled_at BIGINT,
    cancel_reason TEXT,
    stars BIGINT CHECK (stars BETWEEN 1 AND 5),
    comment TEXT,
    interruption TEXT,
    -- What calling the order off late costs the elder.
    fee_fen BIGINT NOT NULL DEFAULT 0 CHECK (fee_fen >= 0),
    -- When an urgent order nobody took was handed to the dispatchers.
    escalated_at BIGINT,
    -- When the provider had taken what the elder owes, and who noted it.
    collected_at BIGINT,
    collected_by BIGINT,
    CHECK ((collected_at IS NULL) = (collected_by IS NULL)),
    CHECK (end_at > start_at),
    CHECK (partner IS NULL OR partner <> carer),
    CHECK ((carer IS NULL) = (provider IS NULL)),
    CHECK ((carer IS NULL) = (offered_at IS NULL)),
    CONSTRAINT state_has_its_stamps CHECK (CASE state
        WHEN 'placed' THEN carer IS NULL AND accepted_at IS NULL AND checked_in_at IS NULL AND settled_at IS NULL
        WHEN 'offered' THEN carer IS NOT NULL AND accepted_at IS NULL AND checked_in_at IS NULL
        WHEN 'accepted' THEN accepted_at IS NOT NULL AND checked_in_at IS NULL
        WHEN 'in_service' THEN checked_in_at IS NOT NULL AND checked_out_at IS NULL
        WHEN 'served' THEN checked_out_at IS NOT NULL AND confirmed_at IS NULL AND settled_at IS NULL
        WHEN 'disputed' THEN checked_out_at IS NOT NULL AND confirmed_at IS NOT NULL AND settled_at IS NULL
        WHEN 'confirmed' THEN checked_out_at IS NOT NULL AND confirmed_at IS NOT NULL AND settled_at IS NULL
        WHEN 'settled' THEN checked_out_at IS NOT NULL AND settled_at IS NOT NULL
        WHEN 'nobody_home' THEN checked_out_at IS NOT NULL AND confirmed_at IS NULL AND settled_at IS NULL
        WHEN 'interrupted' THEN checked_out_at IS NOT NULL AND interruption IS NOT NULL AND confirmed_at IS NULL
            AND settled_at IS NULL
        WHEN 'cancelled' THEN cancelled_at IS NOT NULL AND cancel_reason IS NOT NULL
        ELSE 1 = 0 END)
) STRICT;
CREATE INDEX orders_start ON orders (start_at, id);
CREATE INDEX orders_person ON orders (person, start_at);
CREATE INDEX orders_carer ON orders (carer, start_at);
CREATE INDEX orders_partner ON orders (partner, start_at) WHERE partner IS NOT NULL;
CREATE INDEX orders_provider ON orders (provider, start_at);
CREATE INDEX orders_to_dispatch ON orders (start_at) WHERE state IN ('placed', 'offered');
CREATE INDEX orders_to_confirm ON orders (checked_out_at) WHERE state IN ('served', 'disputed', 'interrupted');

CREATE TABLE order_share (
    order_id BIGINT NOT NULL,
    line BIGINT NOT NULL,
    entitlement BIGINT,
    used BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL CHECK (amount_fen >= 0),
    held BIGINT,
    PRIMARY KEY (order_id, line)
) STRICT;

CREATE TABLE offer (
    id BIGINT PRIMARY KEY,
    order_id BIGINT NOT NULL,
    carer BIGINT NOT NULL,
    offered_at BIGINT NOT NULL,
    offered_by BIGINT NOT NULL,
    answered_at BIGINT,
    answer TEXT CHECK (answer = 'accepted' OR answer = 'declined' OR answer = 'withdrawn'),
    reason TEXT NOT NULL DEFAULT '',
    CHECK ((answered_at IS NULL) = (answer IS NULL))
) STRICT;
CREATE INDEX offer_order ON offer (order_id);
CREATE INDEX offer_declined ON offer (carer, answered_at) WHERE answer = 'declined';
CREATE INDEX offer_declined_at ON offer (answered_at) WHERE answer = 'declined';

CREATE TABLE visit (
    order_id BIGINT PRIMARY KEY,
    region BIGINT NOT NULL,
    carer BIGINT NOT NULL,
    provider BIGINT NOT NULL,
    person BIGINT NOT NULL,
    service TEXT NOT NULL,
    in_at BIGINT NOT NULL,
    in_server_at BIGINT NOT NULL,
    in_device_at BIGINT NOT NULL,
    in_method TEXT NOT NULL,
    in_lon DOUBLE,
    in_lat DOUBLE,
    in_accuracy DOUBLE,
    in_distance BIGINT,
    out_at BIGINT,
    out_server_at BIGINT,
    out_device_at BIGINT,
    out_lon DOUBLE,
    out_lat DOUBLE,
    out_accuracy DOUBLE,
    minutes BIGINT,
    tasks TEXT NOT NULL DEFAULT '[]',
    note TEXT NOT NULL DEFAULT '',
    CHECK ((out_at IS NULL) = (minutes IS NULL)),
    CHECK (out_at IS NULL OR out_at >= in_at)
) STRICT;

CREATE TABLE photo (
    id BIGINT PRIMARY KEY,
    order_id BIGINT NOT NULL,
    sha256 BLOB NOT NULL,
    kind TEXT NOT NULL,
    width BIGINT NOT NULL,
    height BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    by_account BIGINT NOT NULL,
    bytes BLOB NOT NULL,
    CONSTRAINT one_photo_an_order UNIQUE (order_id, sha256)
) STRICT;
CREATE INDEX photo_sha256 ON photo (sha256);

CREATE TABLE settlement_exception (
    order_id BIGINT PRIMARY KEY,
    reason TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    asked_by BIGINT NOT NULL,
    approved_at BIGINT,
    approved_by BIGINT,
    CONSTRAINT asker_is_not_approver CHECK (approved_by IS NULL OR approved_by <> asked_by),
    CHECK ((approved_at IS NULL) = (approved_by IS NULL))
) STRICT;

CREATE TABLE settlement (
    id BIGINT PRIMARY KEY,
    order_id BIGINT NOT NULL,
    region BIGINT NOT NULL,
    provider BIGINT NOT NULL,
    service TEXT NOT NULL,
    minutes BIGINT NOT NULL,
    price_fen BIGINT NOT NULL,
    own_fen BIGINT NOT NULL,
    at BIGINT NOT NULL,
    by_account BIGINT NOT NULL,
    statement BIGINT,
    CONSTRAINT settled_once UNIQUE (order_id)
) STRICT;
CREATE INDEX settlement_provider ON settlement (provider, at);

CREATE TABLE statement (
    id BIGINT PRIMARY KEY,
    provider BIGINT NOT NULL,
    region BIGINT NOT NULL,
    month TEXT NOT NULL,
    orders BIGINT NOT NULL,
    price_fen BIGINT NOT NULL,
    own_fen BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    digest BLOB NOT NULL,
    made_at BIGINT NOT NULL,
    made_by BIGINT NOT NULL,
    checked_at BIGINT,
    checked_by BIGINT,
    paid_at BIGINT,
    paid_by BIGINT,
    returned_at BIGINT,
    returned_by BIGINT,
    returned_why TEXT,
    CHECK ((checked_at IS NULL) = (checked_by IS NULL)),
    CHECK ((paid_at IS NULL) = (paid_by IS NULL)),
    CHECK ((returned_at IS NULL) = (returned_by IS NULL) AND (returned_at IS NULL) = (returned_why IS NULL)),
    CONSTRAINT amount_is_price_less_own CHECK (amount_fen = price_fen - own_fen),
    CONSTRAINT never_paid_and_returned CHECK (returned_at IS NULL OR paid_at IS NULL),
    CONSTRAINT maker_checker_payer CHECK (
        (checked_by IS NULL OR checked_by <> made_by)
        AND (paid_by IS NULL OR (checked_by IS NOT NULL AND paid_by <> made_by AND paid_by <> checked_by)))
) STRICT;
CREATE INDEX statement_provider ON statement (provider, month);

CREATE TABLE statement_line (
    statement BIGINT NOT NULL,
    settlement BIGINT NOT NULL,
    PRIMARY KEY (statement, settlement)
) STRICT;
