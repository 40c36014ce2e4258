// Calls the door for BFL's clients by @ai-sdk/black-forest-labs, once; see test_bfl_clients.py.
//
// Reads from standard input: baseURL, apiKey, model, timeout (milliseconds), and what doGenerate takes.
// Writes what came of it as JSON; bytes are in base64.

import { text } from "node:stream/consumers";

import { createBlackForestLabs } from "@ai-sdk/black-forest-labs";

const { baseURL, apiKey, model, timeout, ...options } = JSON.parse(await text(process.stdin));
const provider = createBlackForestLabs({
  apiKey,
  baseURL,
  pollIntervalMillis: 100,
  pollTimeoutMillis: timeout,
});

function told(outcome) {
  console.log(JSON.stringify(outcome));
}

try {
  const { images, providerMetadata, response } = await provider.image(model).doGenerate({
    n: 1,
    providerOptions: {},
    ...options,
  });
  told({
    image: Buffer.from(images[0]).toString("base64"),
    type: response.headers["content-type"],
    metadata: providerMetadata.blackForestLabs.images[0],
  });
} catch (error) {
  told({
    error: error.message,
    status: error.statusCode,
    body: error.responseBody,
    retryable: error.isRetryable,
  });
}
