// Runs @ai-sdk/black-forest-labs, through generateImage of `ai`, against the emulator of BFL.
//
// From the environment: BFL_BASE_URL and BFL_API_KEY of the emulator, CLIENT_IMAGES a folder for the images
// that it receives, named by the order of their submits; __main__.py compares them with the emulator's.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { createBlackForestLabs } from "@ai-sdk/black-forest-labs";
import { APICallError, generateImage } from "ai";

const { BFL_BASE_URL, BFL_API_KEY, CLIENT_IMAGES } = process.env;

// 1 x 1 pixels: red and blue.
const RED =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
const BLUE =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYPgPAAEDAQAIicLsAAAAAElFTkSuQmCC";

let saved = 0;

function client(apiKey = BFL_API_KEY) {
  return createBlackForestLabs({
    apiKey,
    baseURL: `${BFL_BASE_URL}/v1`,
    pollIntervalMillis: 50,
    pollTimeoutMillis: 5000,
  });
}

async function generate(model, options) {
  const { image, providerMetadata } = await generateImage({
    model: client().image(model),
    maxRetries: 0,
    ...options,
  });
  await writeFile(join(CLIENT_IMAGES, String(saved++)), image.uint8Array);
  return { image, metadata: providerMetadata.blackForestLabs.images[0] };
}

async function fault(on, name) {
  const response = await fetch(`${BFL_BASE_URL}/_control`, {
    method: "POST",
    body: JSON.stringify({ on, fault: name, times: 1 }),
  });
  assert.equal(response.status, 200);
}

async function refusal(apiKey) {
  try {
    await generateImage({
      model: client(apiKey).image("flux-kontext-pro"),
      prompt: "a quiet harbour",
      maxRetries: 0,
    });
  } catch (error) {
    assert.ok(APICallError.isInstance(error), String(error));
    return error;
  }
  assert.fail("it was not refused");
}

async function check(what, work) {
  await work();
  console.log(`ok  ${what}`);
}

await check("makes an image from text, with its seed, and returns its cost", async () => {
  const { metadata } = await generate("flux-kontext-pro", {
    prompt: "a quiet harbour",
    aspectRatio: "16:9",
    seed: 7,
  });
  assert.equal(metadata.seed, 7);
  assert.ok(metadata.cost > 0);
  assert.ok(metadata.duration >= 0);
});

await check("edits an image", async () => {
  const { image } = await generate("flux-kontext-pro", {
    prompt: { text: "make the sky stormy", images: [RED] },
    providerOptions: { blackForestLabs: { outputFormat: "png", safetyTolerance: 2 } },
  });
  assert.equal(image.mediaType, "image/png");
});

await check("sends several references in order", async () => {
  await generate("flux-2-pro", {
    prompt: { text: "put the first on the second", images: [RED, BLUE] },
    providerOptions: { blackForestLabs: { width: 256, height: 256 } },
  });
});

await check("recognizes a wrong key", async () => {
  const error = await refusal("00000000-0000-4000-8000-000000000000");
  assert.equal(error.statusCode, 403);
  assert.match(error.message, /Not authenticated/);
});

await check("recognizes that the funds are used up", async () => {
  await fault("submit", "out_of_funds");
  const error = await refusal();
  assert.equal(error.statusCode, 402);
  assert.match(error.message, /Insufficient credits/);
});

await check("recognizes a rate limit", async () => {
  await fault("submit", "rate_limited");
  const error = await refusal();
  assert.equal(error.statusCode, 429);
  assert.ok(error.isRetryable);
});

await check("recognizes a wrong field", async () => {
  await assert.rejects(
    generate("flux-kontext-pro", { prompt: "a quiet harbour", aspectRatio: "wide" }),
    (error) => error.statusCode === 422,
  );
});
