from __future__ import annotations
import base64, httpx
from tests.factories import photo


async def test_x(client: httpx.AsyncClient) -> None:
    for path, body in [
        (
            "/v1/flux-kontext-pro",
            {"prompt": "make it blue", "input_image": base64.b64encode(photo()).decode()},
        ),
        ("/v1/flux-kontext-pro", {}),
        ("/v1/nope", {}),
        (
            "/v1/flux-pro-1.0-fill",
            {
                "prompt": "x",
                "image": "data:image/png;base64," + base64.b64encode(photo()).decode(),
                "mask": base64.b64encode(photo()).decode(),
            },
        ),
        ("/v1/flux-2-pro", {"prompt": "x", "width": 1000, "height": 20, "seed": 1752479754028}),
        ("/v1/flux-2-pro", {"prompt": "x", "width": 1000, "height": 20}),
        (
            "/v1/flux-kontext-pro",
            {"prompt": "x", "output_format": "webp", "safety_tolerance": 6, "aspect_ratio": "7:5"},
        ),
    ]:
        a = await client.post(path, json=body)
        print(a.status_code, a.text)
        if a.status_code == 200:
            u = a.json()["polling_url"]
            key = client.headers.pop("x-key")
            b = await client.get(u)
            print(b.status_code, b.text, b.headers)
            b = await client.get(u[:-1])
            print(b.status_code, b.text)
            client.headers["x-key"] = key
            b = await client.get(u.split("&")[0])
            print(b.status_code, b.text)
    b = await client.get("/v1/credits")
    print(b.status_code, b.text)
    b = await client.get("/v1/get_result")
    print(b.status_code, b.text)
    b = await client.get("/v1/get_result?id=é")
    print(b.status_code, b.text)
    b = await client.post("/v1/credits")
    print(b.status_code, b.text)
    assert 0
