// The code that is dictated: what is typed, read as kindly as the server reads it. The server
// checks everything again; this only answers while one types.

export const ALPHABET = "AEFHIJKLQRSUWXYZ123456789";
export const LENGTH = 10;

export const PRACTICE_PREFIX = "EXE";
export const PRACTICE_SHIFT = 12;

const GROUPS = [3, 4, 3];
const SEPARATORS = /[\s\-–—._]+/g;

// Values of ALPHABET's characters in odd and even positions, as in immuni.otp.
const ODD = [1, 9, 13, 17, 19, 21, 2, 4, 6, 8, 12, 16, 22, 25, 24, 23, 0, 5, 7, 9, 13, 15, 17, 19, 21];
const EVEN = [0, 4, 5, 7, 8, 9, 10, 11, 16, 17, 18, 20, 22, 23, 24, 25, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Undo what people do when they type a code: spaces, dashes, small letters. */
export function normalise(text) {
  return text.replace(SEPARATORS, "").toUpperCase();
}

/** Write a code, whole or begun, in its groups. */
export function grouped(code) {
  const parts = [];
  let start = 0;
  for (const length of [...GROUPS, Infinity]) {
    if (start < code.length) parts.push(code.slice(start, start + length));
    start += length;
  }
  return parts.join(" ");
}

/** Return the tenth character that belongs to nine others of the alphabet. */
export function checkDigit(nine) {
  let sum = 0;
  [...nine].forEach((character, index) => {
    sum += (index % 2 === 0 ? ODD : EVEN)[ALPHABET.indexOf(character)];
  });
  return ALPHABET[sum % ALPHABET.length];
}

/** Tell whether ten characters are a code that is only to be practised with. */
export function isPracticeCode(code) {
  const moved = ALPHABET.indexOf(checkDigit(code.slice(0, 9))) + PRACTICE_SHIFT;
  return code.startsWith(PRACTICE_PREFIX) && code[9] === ALPHABET[moved % ALPHABET.length];
}

function looksLikeACode(text) {
  return text.length === LENGTH && [...text].every((character) => ALPHABET.includes(character));
}

function addsUp(code) {
  return checkDigit(code.slice(0, 9)) === code[9];
}

/** Return the code that stands among the words of a text; the whole where there is not just one. */
export function findCode(text) {
  const whole = normalise(text);
  if (looksLikeACode(whole)) return whole;
  const words = text.toUpperCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const found = new Set();
  words.forEach((_, start) => {
    let code = "";
    for (const word of words.slice(start, start + LENGTH)) {
      code += word;
      if (looksLikeACode(code)) found.add(code);
    }
  });
  const sure = [...found].filter((code) => addsUp(code) || isPracticeCode(code));
  const believed = sure.length ? sure : [...found];
  return believed.length === 1 ? believed[0] : whole;
}

/**
 * Say what can be said about a code that is being typed.
 *
 * @param {string} text What was typed.
 * @param {boolean} practice Whether it is typed where one practises.
 * @returns {{kind: "empty" | "character" | "more" | "long" | "check_digit" | "practice" | "real" | "good", detail?: string}}
 */
export function verdict(text, practice = false) {
  const code = normalise(text);
  const foreign = [...code].find((character) => !ALPHABET.includes(character));
  if (!code) return { kind: "empty" };
  if (foreign) return { kind: "character", detail: foreign };
  if (code.length < LENGTH) return { kind: "more", detail: String(code.length) };
  if (code.length > LENGTH) return { kind: "long" };
  const [wanted, other] = practice ? [isPracticeCode, addsUp] : [addsUp, isPracticeCode];
  if (wanted(code)) return { kind: "good" };
  return { kind: other(code) ? (practice ? "real" : "practice") : "check_digit" };
}
