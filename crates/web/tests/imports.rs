//! Imports as a browser without scripts and as a program meet them.

mod support;

use app::{
    parties::imports::{self, WorkerHandle},
    regions::{self, NewRegion},
    settings,
};
use axum::{
    body::{Body, Bytes},
    http::{Request, StatusCode, header},
};
use domain::{access::Role, regions::RegionCode};
use futures_util::stream;
use support::{Seen, Service, Visitor, post, region};

const LIST: &str = "姓名,身份证号,村社区,门牌\n\
    王秀英,410299194002290011,理事厅社区,1号\n\
    李桂芳,420299193608150029,无此社区,2号\n";

struct Scene {
    service: Service,
    clerk: Visitor,
    _worker: WorkerHandle,
}

fn scene() -> Scene {
    let service = Service::new();
    let (store, now) = (service.bed.store.clone(), service.now());
    let row = |at: &str, name: &str| NewRegion { code: RegionCode::parse(at).unwrap(), name: name.into() };
    let rows = vec![
        row("41", "河南省"),
        row("4102", "开封市"),
        row("410202", "龙亭区"),
        row("410202001", "北道门街道"),
        row("410202001001", "理事厅社区"),
    ];
    store
        .write(move |tx| {
            regions::load(tx, &rows, now)?;
            settings::set(tx, settings::ALLOW_TEST_REGIONS, "yes")
        })
        .unwrap();
    Scene {
        clerk: service.signed_in("wangmin", post(Role::StreetOfficer, region("410202"))),
        _worker: imports::spawn_worker(store, std::sync::Arc::new(move || now)),
        service,
    }
}

impl Scene {
    async fn get(&self, path: &str) -> Seen {
        self.service.browse(&self.clerk, "GET", path, &[]).await
    }

    async fn post(&self, path: &str) -> Seen {
        self.service.browse(&self.clerk, "POST", path, &[]).await
    }

    async fn send(&self, path: &str, kind: &str, body: Body) -> Seen {
        let cookie = self.clerk.cookie.clone().unwrap();
        let request = Request::post(path)
            .header(header::COOKIE, cookie)
            .header(header::CONTENT_TYPE, kind)
            .header(header::ACCEPT, "text/html");
        self.service.send(request.body(body).unwrap()).await
    }

    /// Uploads a file by the form and gives the page of the import.
    async fn upload(&self, text: &str) -> String {
        let form = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"名单.csv\"\r\n\
             Content-Type: text/csv\r\n\r\n{text}\r\n--b--\r\n"
        );
        let seen = self.send("/imports", "multipart/form-data; boundary=b", form.into()).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
        seen.location.unwrap()
    }

    /// The page once no worker is at it.
    async fn settled(&self, page: &str) -> String {
        for _ in 0..400 {
            let seen = self.get(page).await;
            assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
            if !seen.body.contains("id=\"progress\"") {
                return seen.body;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("waited in vain");
    }
}

#[tokio::test]
async fn a_list_goes_in_by_three_steps_without_scripts() {
    let s = scene();
    let page = s.upload(LIST).await;
    let ready = s.settled(&page).await;
    assert!(ready.contains("名单.csv") && ready.contains("待核对"), "{ready}");
    // The columns' sample shows the first line of the file, so the list is looked at from its end.
    let (bad, good) = (ready.rfind("李桂芳").unwrap(), ready.rfind("王秀英").unwrap());
    assert!(bad < good, "problem rows come first");
    assert!(ready.contains("没有“无此社区”"), "{ready}");
    assert!(!ready.contains("410299194002290011"), "numbers are masked");
    assert!(ready.contains("name=\"column-1\""), "columns can be corrected");

    let errors = s.get(&format!("{page}/errors")).await;
    assert_eq!(errors.status, StatusCode::OK);
    assert!(errors.body.contains("错误说明") && errors.body.contains("李桂芳"), "{}", errors.body);

    let accepted = s.post(&format!("{page}/acceptance")).await;
    assert_eq!(accepted.location.as_deref(), Some(page.as_str()));
    let done = s.settled(&page).await;
    assert!(done.contains("新登记 1 人"), "{done}");
    let list = s.get("/imports").await;
    assert!(list.body.contains("新登记 1 人，更新 0 人，相同 0 人，1 行有问题未接受"), "{}", list.body);
    assert_eq!(s.post(&format!("{page}/acceptance")).await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_corner_tells_what_came_of_an_import_once() {
    let s = scene();
    let page = s.upload(LIST).await;
    s.settled(&page).await;
    assert_eq!(s.get("/imports/tray").await.body, "", "what does not run is not told");
    let id = page.rsplit('/').next().unwrap();
    let tray = s.get(&format!("/imports/tray?was={id}")).await;
    assert!(tray.body.contains("待核对") && !tray.body.contains("hx-get"), "{}", tray.body);
    let progress = s.get(&format!("{page}/progress")).await;
    assert_eq!(
        (progress.status, progress.body.as_str()),
        (StatusCode::OK, ""),
        "the whole page is asked for"
    );
}

#[tokio::test]
async fn two_hundred_megabytes_are_refused_in_words_and_not_kept() {
    let s = scene();
    let piece = Bytes::from(vec![b'a'; 1024 * 1024]);
    for (kind, path) in [
        ("text/csv", "/api/v1/imports?file_name=a.csv"),
        ("text/csv", "/imports"),
        ("multipart/form-data; boundary=b", "/imports"),
    ] {
        let head = Bytes::from(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n".to_owned(),
        );
        let piece = piece.clone();
        let pieces = (0..200).map(move |_| Ok::<_, std::io::Error>(piece.clone()));
        let body = Body::from_stream(stream::iter(std::iter::once(Ok(head)).chain(pieces)));
        let seen = s.send(path, kind, body).await;
        assert_eq!(seen.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}: {}", seen.body);
        assert!(seen.body.contains("25 MB") && seen.body.contains("按乡镇拆成几个文件"), "{}", seen.body);
    }
    assert!(s.get("/imports").await.body.contains("还没有导入过名单"));
}

#[tokio::test]
async fn a_form_without_a_file_and_a_file_that_is_none_are_answered() {
    let s = scene();
    let empty = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--b--\r\n";
    let seen = s.send("/imports", "multipart/form-data; boundary=b", empty.into()).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(seen.body.contains("还没有选文件"), "{}", seen.body);
    let page = s.upload("<html><table></table></html>").await;
    assert!(s.settled(&page).await.contains("另存为"));
    let other = s.service.signed_in("liuyang", post(Role::StreetOfficer, region("410203")));
    let seen = s.service.browse(&other, "GET", &page, &[]).await;
    assert_eq!(seen.status, StatusCode::NOT_FOUND, "another county's import does not exist");
    let template = s.get("/imports/template").await;
    assert_eq!(template.status, StatusCode::OK);
}

#[tokio::test]
async fn a_program_sends_a_file_once_and_reads_what_is_wrong() {
    let s = scene();
    let send = |text: &'static str| {
        let request = Request::post("/api/v1/imports?file_name=%E5%90%8D%E5%8D%95.csv")
            .header(header::COOKIE, s.clerk.cookie.clone().unwrap())
            .header("idempotency-key", "k1");
        s.service.send(request.body(Body::from(text)).unwrap())
    };
    let first = send(LIST).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    let first: serde_json::Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!(first["file_name"], "名单.csv");
    let again: serde_json::Value = serde_json::from_str(&send(LIST).await.body).unwrap();
    assert_eq!(again["id"], first["id"], "the same key is the same import");
    assert_eq!(send("另一份").await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let id = first["id"].as_str().unwrap();
    s.settled(&format!("/imports/{id}")).await;
    let json = |seen: Seen| serde_json::from_str::<serde_json::Value>(&seen.body).unwrap();
    let none = serde_json::json!({});
    let path = format!("/api/v1/imports/{id}");
    let ready = json(s.service.call(&s.clerk, "GET", &path, &none).await);
    assert_eq!(
        (&ready["state"], &ready["accepted"], &ready["rejected"]),
        (&"ready".into(), &1.into(), &1.into())
    );
    let request = Request::get(format!("{path}/errors"))
        .header(header::COOKIE, s.clerk.cookie.clone().unwrap())
        .header(header::ACCEPT, "application/json");
    let errors = json(s.service.send(request.body(Body::empty()).unwrap()).await);
    assert_eq!(
        (&errors["errors"][0]["row"], &errors["errors"][0]["column"], &errors["errors"][0]["code"]),
        (&3.into(), &"C列 村社区".into(), &"region_unknown".into())
    );
    let done = s.service.call(&s.clerk, "POST", &format!("{path}/acceptance"), &none).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    s.settled(&format!("/imports/{id}")).await;
    let over = s.service.call(&s.clerk, "POST", &format!("{path}/cancellation"), &none).await;
    assert_eq!(over.status, StatusCode::CONFLICT, "{}", over.body);
}
