// Runs OpenAI's own client against the portal and prints its results as JSON.
//
// Environment: OPENAI_BASE_URL and OPENAI_API_KEY of the portal, KEYS of other workspaces as JSON,
// PICTURES a folder with first.png, second.png and mask.png.

import { createReadStream } from "node:fs";
import { join } from "node:path";

import OpenAI from "openai";

const KEYS = JSON.parse(process.env.KEYS);
const MODEL = "gpt-image-2.6-flare";
const client = new OpenAI({ maxRetries: 0 });

function picture(name) {
  return createReadStream(join(process.env.PICTURES, name));
}

async function refused(call) {
  try {
    await call();
  } catch (error) {
    const { status, code, param, type, requestID } = error;
    return { name: error.constructor.name, status, code, param, type, named: /^req_/.test(requestID) };
  }
  throw new Error("it was not refused");
}

async function events(stream) {
  const found = [];
  for await (const event of stream) found.push(event);
  return found;
}

const models = [];
for await (const model of client.models.list()) models.push(model.id);

const edit = () => ({
  model: MODEL,
  prompt: "Make it black and white",
  image: [picture("first.png"), picture("second.png")],
  mask: picture("mask.png"),
});
const fromPrompt = (prompt) => () => client.images.generate({ prompt });
const as = (key, more) => new OpenAI({ apiKey: KEYS[key] ?? key, maxRetries: 0, ...more });

let attempts = 0;
const counted = as("poor", {
  maxRetries: 2,
  fetch: (...call) => {
    attempts += 1;
    return fetch(...call);
  },
});

console.log(
  JSON.stringify({
    models,
    model: await client.models.retrieve("standard"),
    generated: await client.images.generate({ model: MODEL, prompt: "a red chair", n: 2, size: "1536x1024" }),
    edited: await client.images.edit({ ...edit(), size: "auto", output_format: "jpeg", output_compression: 90 }),
    linked: await client.images.edit({ ...edit(), response_format: "url" }),
    streamed: await events(await client.images.edit({ ...edit(), prompt: "Make it black and white [slow:2]", stream: true })),
    painted: await events(await client.images.generate({ prompt: "a red chair", stream: true, partial_images: 2 })),
    refused: {
      moderation: await refused(fromPrompt("a red chair [moderate]")),
      failure: await refused(fromPrompt("a red chair [fail]")),
      size: await refused(() => client.images.generate({ prompt: "x", size: "huge" })),
      model: await refused(() => client.images.generate({ prompt: "x", model: "gpt-9" })),
      image: await refused(() => client.images.edit({ prompt: "x", image: new File(["no"], "x.png") })),
      key: await refused(() => as("wrong").images.generate({ prompt: "x" })),
      scope: await refused(() => as("reader").images.generate({ prompt: "x" })),
      credits: await refused(() => counted.images.generate({ prompt: "x" })),
      rate: await refused(async () => {
        for (let call = 0; call < 10; call += 1) await as("slow").models.list();
      }),
    },
    attempts,
  }),
);
