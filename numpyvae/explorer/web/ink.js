"use strict";
// A drawing becomes a picture as MNIST's were made: the ink's box scaled to 20 of 28 pixels, with
// grey edges, then moved so that its center of mass lies in the pixel (14, 14), counted from 0.

const BOX = 20 / 28; // of the smaller side of a picture
const TRACE = 0.002; // less ink than this, half of the faintest grey, is paper

function pictureOf(ink, width, height, shape, centered) {
  // ink (height x width), 0 to 1; returns the pixels of a picture of this shape.
  const frame = centered ? inkBox(ink, width, height) : { x: 0, y: 0, width, height };
  if (frame === null) return new Float64Array(shape[0] * shape[1]);
  const side = BOX * Math.min(...shape);
  const scale = centered
    ? Math.max(frame.width, frame.height) / side
    : Math.max(width / shape[1], height / shape[0]);
  // What lies in the middle of the picture. The box begins where a pixel begins, as in MNIST.
  const from = [frame.x, frame.y], sides = [frame.width, frame.height];
  const middle = from.map((start, a) => start + Math.round(sides[a] / scale / 2) * scale);
  const picture = resampled(ink, width, height, shape, scale, middle);
  if (!centered) return picture;
  const [x, y] = centerOfMass(picture, shape);
  // By whole pixels, as in MNIST: the center of mass lies in the pixel after the middle.
  middle[0] += Math.floor(x - shape[1] / 2) * scale;
  middle[1] += Math.floor(y - shape[0] / 2) * scale;
  return resampled(ink, width, height, shape, scale, middle);
}

function inkBox(ink, width, height) {
  let left = width, right = -1, top = height, bottom = -1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (ink[y * width + x] <= TRACE) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  if (right < 0) return null;
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

function resampled(ink, width, height, shape, scale, middle) {
  // Each pixel is the mean of the ink in its square, `scale` wide; `middle` is the center.
  const [rows, columns] = shape, picture = new Float64Array(rows * columns);
  const samples = Math.max(2, Math.ceil(scale));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let a = 0; a < samples; a++) {
        for (let b = 0; b < samples; b++) {
          const x = Math.floor(middle[0] + (column - columns / 2 + (b + 0.5) / samples) * scale);
          const y = Math.floor(middle[1] + (row - rows / 2 + (a + 0.5) / samples) * scale);
          if (x >= 0 && y >= 0 && x < width && y < height) sum += ink[y * width + x];
        }
      }
      picture[row * columns + column] = Math.min(1, sum / samples ** 2);
    }
  }
  return picture;
}

function centerOfMass(picture, shape) {
  let sum = 0, x = 0, y = 0;
  picture.forEach((value, k) => {
    sum += value;
    x += value * ((k % shape[1]) + 0.5);
    y += value * (Math.floor(k / shape[1]) + 0.5);
  });
  return [x / sum, y / sum];
}
