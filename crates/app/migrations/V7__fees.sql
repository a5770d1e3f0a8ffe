-- What a provider's line is paid for: a fee stands on the month's statement beside the visits, with its reason.
ALTER TABLE settlement ADD COLUMN kind TEXT NOT NULL DEFAULT 'visit'
    CHECK (kind = 'visit' OR kind = 'nobody_home' OR kind = 'late_cancel');
-- What is frozen on a statement stays as it was frozen.
UPDATE settlement SET kind = 'nobody_home'
    WHERE id NOT IN (SELECT settlement FROM statement_line)
        AND order_id IN (SELECT o.id FROM orders o JOIN visit v ON v.order_id = o.id
            WHERE o.state = 'settled' AND v.minutes = 0 AND o.interruption IS NULL);
-- Fees of orders called off late were booked and stood nowhere; the elder pays them to the provider.
INSERT INTO settlement (id, order_id, region, provider, service, minutes, price_fen, own_fen, at, by_account, kind)
    SELECT id, id, region, provider, service, 0, fee_fen, fee_fen, cancelled_at, placed_by, 'late_cancel'
    FROM orders WHERE state = 'cancelled' AND fee_fen > 0 AND provider IS NOT NULL;
