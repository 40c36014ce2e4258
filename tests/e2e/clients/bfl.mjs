// Calls the BFL-compatible API once with @ai-sdk/black-forest-labs; see test_bfl_clients.py.
//
// Reads from standard input: baseURL, apiKey, model, timeout (milliseconds), and the options of doGenerate.
// Prints the outcome as JSON, with bytes in base64.

import { text } from "node:stream/consumers";

import { createBlackForestLabs } from "@ai-sdk/black-forest-labs";

const { baseURL, apiKey, model, timeout, ...options } = JSON.parse(await text(process.stdin));
const provider = createBlackForestLabs({
  apiKey,
  baseURL,
  pollIntervalMillis: 100,
  pollTimeoutMillis: timeout,
});

function print(outcome) {
  console.log(JSON.stringify(outcome));
}

try {
  const { images, providerMetadata, response } = await provider.image(model).doGenerate({
    n: 1,
    providerOptions: {},
    ...options,
  });
  print({
    image: Buffer.from(images[0]).toString("base64"),
    type: response.headers["content-type"],
    metadata: providerMetadata.blackForestLabs.images[0],
  });
} catch (error) {
  print({
    error: error.message,
    status: error.statusCode,
    body: error.responseBody,
    retryable: error.isRetryable,
  });
}
