// Drives the page of clusters in a browser: node cluster_page.js BROWSER REPORT MAPLESS. What fails is said on stderr; ends with 1 then.
"use strict";
const { chromium } = require("playwright-core");
const [browserPath, ...reports] = process.argv.slice(2);
const [address, mapless] = reports.map(path => "file://" + path.split("/").map(encodeURIComponent).join("/"));
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
               "--disable-component-update", "--disable-sync"];
let failures = 0;

const want = (what, holds) => {
  if (holds) return;
  failures++;
  console.error(`FAILED: ${what}`);
};

// A page of its own context; what it says on the console, and what it would load, is a failure.
const open = async (browser, options, hash = "", from = address) => {
  const context = await browser.newContext({ viewport: { width: 1000, height: 900 }, ...options });
  const page = await context.newPage();
  page.on("console", message => want(`nothing on the console: ${message.text()}`, false));
  page.on("pageerror", error => want(`no error: ${error.message}`, false));
  page.on("dialog", dialog => { want("no dialog", false); dialog.dismiss(); });
  page.on("request", request => want(`nothing loaded: ${request.url().slice(0, 80)}`,
                                     /^(data:|blob:)/.test(request.url()) || request.url().split("#")[0] === from));
  await page.goto(from + hash);
  return page;
};

const visible = (page, selector) => page.locator(selector).first().isVisible();
const count = (page, selector) => page.locator(selector).count();
// The picture that a pin shows beside itself: its painted size and image.
const preview = (page, selector) => page.locator(selector).first().evaluate(pin => {
  const style = getComputedStyle(pin, "::before");
  return { image: style.backgroundImage, width: parseFloat(style.width) || 0 };
});
const shows = p => p.image.startsWith('url("data:image/') && p.width > 90;
const middle = async (page, selector) => {
  const box = await page.locator(selector).first().boundingBox();
  return [box.x + box.width / 2, box.y + box.height / 2];
};
const noMarkup = page => page.evaluate(() =>
  document.querySelectorAll("img,b b,article script,.overview script,iframe,object,[onerror],[onclick]").length === 0 &&
  document.scripts.length === 1 && document.querySelectorAll("style").length === 2);

const clusterPage = async (page, id) => {
  want(`${id}: its page is shown`, await visible(page, `#${id}`));
  want(`${id}: the overview is hidden`, !(await visible(page, ".overview")));
  want(`${id}: pictures are painted`, await page.locator(`#${id} .wall .ph`).first().evaluate(
    ph => getComputedStyle(ph).backgroundImage.startsWith('url("data:image/') && ph.clientWidth > 40));
};

const withScript = async browser => {
  const page = await open(browser, {});
  want("pins on the map", await count(page, ".pin") > 20);
  want("names are text", await noMarkup(page));
  await page.locator("#map .field").scrollIntoViewIfNeeded();

  // near a pin its picture is shown; a click goes to its cluster
  const [x, y] = await middle(page, ".pin");
  await page.mouse.move(x + 9, y + 9);
  await page.waitForSelector(".pin.on");
  want("a picture near the pointer", shows(await preview(page, ".pin.on")));
  const target = await page.locator(".pin.on").getAttribute("href");
  await page.mouse.click(x + 9, y + 9);
  await page.waitForFunction(hash => location.hash === hash, target);
  await clusterPage(page, target.slice(1));

  // keys and links lead from page to page, and back
  await page.keyboard.press("Escape");
  want("Escape: the overview", await visible(page, ".overview"));
  const cards = await page.locator("#clusters .card").evaluateAll(all => all.map(a => a.getAttribute("href")));
  await page.locator("#clusters .card").first().click();
  await clusterPage(page, cards[0].slice(1));
  await page.keyboard.press("ArrowRight");
  await clusterPage(page, cards[1].slice(1));
  await page.locator(`${cards[1]} [rel=prev]`).click();
  await clusterPage(page, cards[0].slice(1));
  await page.goBack();
  await clusterPage(page, cards[1].slice(1));
  await page.locator(`${cards[1]} .card`).first().click();
  want("a near cluster: another page", !(await visible(page, cards[1])) && await count(page, ".page:target") === 1);
  await page.locator(".page:target [rel=up]").click();
  want("All clusters: the overview", await visible(page, "#clusters"));

  // zoom, and keys on the map
  const box = () => page.locator("#map svg").evaluate(svg => svg.getAttribute("viewBox").split(" ").map(Number));
  const [, , whole] = await box();
  await page.locator(".zoom button").first().click();
  await page.waitForFunction(w => document.querySelector("#map svg").viewBox.baseVal.width === w / 2, whole);
  want("zoomed: its level", await page.locator(".map").getAttribute("data-level") === "1");
  await page.locator(".zoom button").last().click();
  await page.waitForFunction(w => document.querySelector("#map svg").viewBox.baseVal.width === w, whole);
  await page.locator(".pin[tabindex='0']").focus();
  const before = await page.evaluate(() => document.activeElement.className);
  for (const key of ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"]) await page.keyboard.press(key);
  want("arrows: another pin, or the same after going round", await page.evaluate(() => document.activeElement.matches(".pin.on")) && before !== "");
  want("one pin in the order of tabs", await count(page, ".pin[tabindex='0']") === 1);
  await page.context().close();
};

const withoutScript = async browser => {
  const page = await open(browser, { javaScriptEnabled: false });
  want("no buttons without a script", await count(page, ".zoom") === 0);
  await page.locator("#map .field").scrollIntoViewIfNeeded();
  await page.mouse.move(...await middle(page, ".pin.l0"));
  want("a picture under the pointer", shows(await preview(page, ".pin:hover")));
  await page.mouse.move(5, 5);
  await page.locator(".pin.l0").first().focus();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Tab");
  want("a picture at the focus", shows(await preview(page, ".pin:focus")));
  const target = await page.locator(".pin.l0").first().getAttribute("href");
  await page.locator(".pin.l0").first().click();
  await clusterPage(page, target.slice(1));
  await page.locator(".page:target [rel=up]").click();
  want("All clusters: the overview", await visible(page, "#clusters"));
  await page.locator("label[for=points-only]").click();
  want("points alone: small pins", await page.locator(".pin.l0").first().evaluate(pin => pin.offsetWidth) <= 12);
  await page.context().close();
};

const withoutMap = async browser => {
  const page = await open(browser, {}, "", mapless);
  await page.locator("#clusters .card").first().click();
  const first = await page.evaluate(() => location.hash);
  await clusterPage(page, first.slice(1));
  await page.keyboard.press("ArrowRight");
  want("no map: keys lead to the next page", await count(page, ".page:target") === 1 && !(await visible(page, first)));
  await page.keyboard.press("Escape");
  want("no map: Escape leads to the overview", await visible(page, ".overview"));
  await page.context().close();
};

// At each width, light and dark, nothing sticks out.
const atWidths = async browser => {
  for (const width of [400, 900, 1600])
    for (const colorScheme of ["light", "dark"])
      for (const hash of ["", "#cluster-0"]) {
        const page = await open(browser, { viewport: { width, height: 900 }, colorScheme }, hash);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        want(`${width} ${colorScheme} ${hash}: no sideways scrolling, found ${over} pixels`, over <= 0);
        await page.context().close();
      }
};

(async () => {
  const browser = await chromium.launch({ executablePath: browserPath, args: flags });
  try {
    await withScript(browser);
    await withoutScript(browser);
    await withoutMap(browser);
    await atWidths(browser);
  } finally {
    await browser.close();
  }
  process.exit(failures === 0 ? 0 : 1);
})().catch(error => {
  console.error(`FAILED: ${error.message}`);
  process.exit(1);
});
