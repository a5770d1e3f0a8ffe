// A stand-in for the server that answers as the islands' comments promise, and can
// be told to fail: `server.mood`. It shows what the scripts do when things go wrong,
// which the real server seldom does on demand.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const TYPES = { css: "text/css", js: "text/javascript", svg: "image/svg+xml", webmanifest: "application/manifest+json" };
const HTML = { "content-type": "text/html; charset=utf-8", "content-security-policy": "default-src 'self'; img-src 'self' data: blob:" };
const PROBLEM = { "content-type": "application/problem+json" };

/** Minute and five seconds: the clock must show it. */
const RANG_SECONDS_AGO = 65;

const head = (script) => `<!doctype html><html lang="zh-CN" data-theme="normal"><meta charset="utf-8"><title>t</title>
<meta name="htmx-config" content='{"includeIndicatorStyles":false,"allowEval":false,"selfRequestsOnly":true,"historyCacheSize":0}'>
<link rel="stylesheet" href="/assets/xiyang.css"><script src="/assets/app.js" defer></script><script src="/assets/${script}.js" defer></script>`;

const staff = (account) => `${head("desk")}<body data-live="/live" data-account="${account}">
<a href="/other" data-key="g h">热线</a><form method="post" action="/sign-out"><button id="leave">退出</button></form><input id="search" data-key="/">
<span id="connection" class="pill" data-state="on" data-words="在线|断线">在线</span>
<ol data-refresh="order-placed alarm-raised" data-src="/fragment"><li>first</li></ol>
<span class="masked"><span class="value">4102**</span><a class="eye" href="/reveal" data-reveal aria-label="查看证件号">o</a></span>
<p id="eight" data-refresh="order-placed" data-subject="8" data-src="/fragment">eight</p>
<a class="row-link" href="/r1">r1</a><a class="row-link" href="/r2">r2</a>
<form class="cmd" data-commands='[{"say":"fall","means":"跌倒","does":"kind=fall"},{"say":"dispatch","means":"派人","does":"#go"}]'><label for="cmd">命令</label><input id="cmd" class="form-control"><p class="cmd-ghost"></p></form>
<label><input type="radio" name="kind" value="fall">跌倒</label><button id="go" type="button">派</button>
<div class="field"><textarea data-save="/notes"></textarea><p class="saved" data-words="已保存 HH:MM:SS|正在保存|没有存上"></p></div>
<span class="clock" data-since="${new Date(Date.now() - RANG_SECONDS_AGO * 1_000).toISOString()}"></span>
<section class="queue" data-refresh="alarm-raised" data-src="/queue"></section><p id="announce"></p>
<button type="button" data-sound data-key="m" data-words="打开声音|声音已开|已静音" hidden></button>
<button type="button" data-open="keys" data-key="?" hidden>快捷键</button>
<dialog id="keys"><ul class="key-list" data-words="打开|关闭|下一行|上一行|搜索"></ul></dialog>
<dialog id="reveal"><form method="post"><input name="reason" id="reason" required><p class="field-error" hidden></p><button id="show">查看</button></form></dialog></body>`;

const carer = () => `${head("phone")}<body><div class="phone" data-who="田芳">
<span class="pill" id="connection" data-state="on" data-words="在线|离线|未上传 N 项|请重新登录">在线</span>
<main><div class="queue-state" data-words="知道了"></div><ol class="stage"><li aria-current="step">到达<li>开始<li>结束</ol>
<input type="file" form="start" name="photo" accept="image/*" data-alt="照片"><div class="photo-list"></div></main></div>
<div class="next-step"><form id="arrive" method="post" action="/carer/visits/7/arrival" data-queue data-place><button>到达签到</button></form>
<form id="start" method="post" action="/carer/visits/7/start" data-queue data-place hidden><button name="how" value="door">开始</button></form></div></body>`;

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString("latin1");
}

/** Starts it on a free port: `{ url, mood, posts, streams, close }`. */
export async function startServer(dist) {
  const mood = { notesFail: 0, reason: false, refuse: false, signedOut: false };
  const posts = [];
  const streams = [];
  let fragments = 0;
  const answer = async (request, response) => {
    const { pathname: path, searchParams: asked } = new URL(request.url, "http://here");
    const body = await bodyOf(request);
    const say = (status, headers, text = "") => response.writeHead(status, headers).end(text);
    if (path.startsWith("/assets/") || path === "/sw.js") {
      const file = path.replace(/^\/(assets\/)?/, "");
      return say(200, { "content-type": TYPES[file.split(".").pop()] }, await readFile(join(dist, file)));
    }
    if (path === "/live") {
      response.writeHead(200, { "content-type": "text/event-stream" }).write(":\n\n");
      return streams.push(response);
    }
    if (path === "/fragment") return say(200, HTML, `<li>fresh ${(fragments += 1)}</li>`);
    if (path === "/queue") return say(200, HTML, `<a class="queue-item" href="/alarms/1" data-rings="p1" data-round="1" data-say="新警情 王**">SOS</a>`);
    if (path === "/reveal") {
      mood.reason ||= body.includes("reason=");
      return mood.reason ? say(200, { "content-type": "text/plain" }, "<b>410202</b>") : say(204, {});
    }
    if (path === "/notes") return (mood.notesFail -= 1) >= 0 ? say(503, {}) : say(204, {});
    if (path === "/sign-out") return say(303, { location: "/other" });
    if (request.method === "POST") {
      if (mood.signedOut) return say(401, PROBLEM, '{"title":"请登录"}');
      if (mood.refuse) return say(422, PROBLEM, '{"title":"还没到时间"}');
      posts.push({ path, body });
      return say(303, { location: "/carer" });
    }
    return say(200, HTML, path.startsWith("/carer") ? carer() : staff(asked.get("as") ?? "7"));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, mood, posts, streams, close };
}
