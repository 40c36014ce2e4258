// Passkeys: the server makes the options for the browser's dialog, and the form carries its result.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-passkey]");
  if (button) event.preventDefault(); // its form is submitted below, with the passkey
  if (!button?.form.reportValidity()) return;
  try {
    const { form } = button;
    const answer = await fetch(`${button.dataset.passkey}?email=${encodeURIComponent(form.email?.value ?? "")}`);
    const { create, get } = await answer.json();
    form.credential.value = JSON.stringify(await (create
      ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(create) })
      : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(get) })));
    form.submit();
  } catch {
    button.nextElementSibling.hidden = false;
  }
});
