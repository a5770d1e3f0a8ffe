"""The life cycle of a care order with FastAPI and asyncpg on PostgreSQL: what `xiyang bench orders` is measured beside.

Usage: fastapi_orders.py PORT WORKERS, with BENCH_DATABASE=postgres://… of a database made by orders.schema.sql.
The same five requests, each one durable transaction, with the same refusals: wrong state, double booking, too far
away, not enough money.
"""

import json
import math
import os
import signal
import socket
import sys

import asyncpg
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

SIGN_IN_METRES_MAX = 300

app = FastAPI()
pool = None


class Refused(Exception):
    pass


@app.exception_handler(Refused)
async def refused(_: Request, why: Refused):
    return JSONResponse({"code": str(why)}, 409)


@app.on_event("startup")
async def connect():
    global pool
    pool = await asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=8, max_size=24)


async def note(db, order: int, by: int, act: str, body: bytes):
    await db.execute(
        "INSERT INTO trail (care_order, by, act, detail) VALUES ($1, $2, $3, $4)", order, by, act, body.decode()
    )


@app.post("/orders")
async def place(request: Request):
    body = await request.body()
    ask = json.loads(body)
    async with pool.acquire() as db, db.transaction():
        order = await db.fetchval(
            "INSERT INTO care_order (elder, service, price_fen, state, starts, ends)"
            " VALUES ($1, $2, $3, 'placed', $4, $5) RETURNING id",
            ask["elder"], ask["service"], ask["price_fen"], ask["start"], ask["start"] + 60,
        )
        await note(db, order, 1, "placed", body)
    return JSONResponse({"id": str(order), "state": "placed"}, 201)


async def assign(db, order, row, ask):
    busy = await db.fetchval(
        "SELECT EXISTS (SELECT 1 FROM care_order WHERE carer = $1 AND starts < $2 AND ends > $3)",
        ask["carer"], row["ends"], row["starts"],
    )
    if busy:
        raise Refused("double_booked")
    await db.execute("UPDATE care_order SET carer = $2, state = 'assigned' WHERE id = $1", order, ask["carer"])


async def check_in(db, order, row, ask):
    home = await db.fetchrow("SELECT east, north FROM elder WHERE id = $1", row["elder"])
    if math.hypot(home["east"] - ask["east"], home["north"] - ask["north"]) > SIGN_IN_METRES_MAX:
        raise Refused("too_far")
    await db.execute("UPDATE care_order SET checked_in = now(), state = 'in_service' WHERE id = $1", order)


async def check_out(db, order, row, ask):
    await db.execute("UPDATE care_order SET checked_out = now(), state = 'served' WHERE id = $1", order)


async def settle(db, order, row, ask):
    price = row["price_fen"]
    city = price // 2
    provider = 5_000_000 + row["carer"] % 100
    paid = await db.fetchval(
        "UPDATE account SET balance = balance - $2 WHERE id = $1 AND balance >= $2 RETURNING 1",
        row["elder"], price - city,
    )
    if not paid:
        raise Refused("no_money")
    await db.execute("UPDATE account SET balance = balance + $2 WHERE id = $1", provider, price)
    await db.executemany(
        "INSERT INTO posting (care_order, account, amount) VALUES ($1, $2, $3)",
        [(order, row["elder"], city - price), (order, 6_000_000, -city), (order, provider, price)],
    )
    await db.execute("UPDATE care_order SET state = 'settled' WHERE id = $1", order)


STEPS = {
    "assignment": ("placed", "assigned", 1, assign),
    "check-in": ("assigned", "in_service", 2, check_in),
    "check-out": ("in_service", "served", 2, check_out),
    "settlement": ("served", "settled", 1, settle),
}


@app.post("/orders/{order}/{step}")
async def move_on(order: int, step: str, request: Request):
    before, after, by, work = STEPS[step]
    body = await request.body()
    async with pool.acquire() as db, db.transaction():
        row = await db.fetchrow(
            "SELECT elder, carer, price_fen, state, starts, ends FROM care_order WHERE id = $1 FOR UPDATE", order
        )
        if row is None or row["state"] != before:
            raise Refused("wrong_state")
        await work(db, order, row, json.loads(body))
        await note(db, order, by, after, body)
    return JSONResponse({"id": str(order), "state": after})


def main():
    # uvicorn's own --workers leaves Nagle's algorithm on, which delays every answer of a kept connection by 40 ms.
    port, workers = int(sys.argv[1]), int(sys.argv[2])
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(512)
    children = []
    for _ in range(workers):
        child = os.fork()
        if child == 0:
            config = uvicorn.Config(app, access_log=False, log_level="error")
            uvicorn.Server(config).run(sockets=[listener])
            os._exit(0)
        children.append(child)

    def stop(*_):
        for child in children:
            os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    for child in children:
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
