// A person at a real browser, on oidc-provider's own pages: signs in, agrees, types a device's code,
// or signs out, and stops at the first page that asks for nothing more.
//
//     node browser.mjs PROFILE_FOLDER ADDRESS LOGIN [CODE]      prints that page as JSON

import { chromium } from 'playwright-core';

const [profile, address, login, code] = process.argv.slice(2);

const QUESTIONS = [
  {
    name: 'sign-in',
    form: 'input[name=login]',
    async answer(page) {
      await page.fill('input[name=login]', login);
      await page.fill('input[name=password]', 'any');
      await page.click('button[type=submit]');
    },
  },
  {
    name: 'code',
    form: 'input[name=user_code][type=text]',
    async answer(page) {
      await page.fill('input[name=user_code]', code);
      await page.click('button[type=submit]');
    },
  },
  {
    // The page shows the code once more, for the person to compare.
    name: 'same code',
    form: `input[name=confirm] >> xpath=//ancestor::body[.//code[text()="${code}"]]`,
    answer: (page) => page.click('button[autofocus]'),
  },
  { name: 'sign-out', form: 'button[name=logout]', answer: (page) => page.click('button[name=logout]') },
  { name: 'consent', form: 'input[value=consent]', answer: (page) => page.click('button[type=submit]') },
];

const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM,
  headless: true,
  // Chromium's own sandbox refuses to run as root.
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
try {
  console.log(JSON.stringify(await walk()));
} finally {
  await context.close();
}

async function walk() {
  // The provider's pages name a font on the internet; no test leaves this machine.
  await context.route((url) => url.hostname !== '127.0.0.1', (route) => route.abort());
  const page = await context.newPage();
  const complaints = complaintsOf(page);
  await page.goto(address);
  const steps = [];
  for (let question = await asked(page); question; question = await asked(page)) {
    // The next page may have the same address.
    await Promise.all([page.waitForEvent('load'), question.answer(page)]);
    steps.push(question.name);
  }
  return {
    steps,
    complaints,
    address: page.url(),
    title: await page.title(),
    text: await page.innerText('body'),
  };
}

async function asked(page) {
  for (const question of QUESTIONS) {
    if (await page.locator(question.form).count()) return question;
  }
  return undefined;
}

// What the browser holds against the application's pages: loopback, and not the provider's.
function complaintsOf(page) {
  const complaints = [];
  page.on('console', (message) => {
    const source = new URL(message.location().url || page.url());
    const applications = source.hostname === '127.0.0.1' && source.origin !== new URL(address).origin;
    if (message.type() === 'error' && applications) complaints.push(`${message.text()} at ${source}`);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return complaints;
}
