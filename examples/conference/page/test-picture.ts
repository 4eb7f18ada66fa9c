/** A picture that moves, for machines without a camera. */
import { hueOf } from './hue.ts';

const WIDTH = 640;
const HEIGHT = 360;
const FRAMES_PER_SECOND = 15;
const BARS = 7;

/** A track that ends when it is stopped, and its drawing with it. */
export function drawTestPicture(name: string): MediaStreamTrack {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d');
  const [track] = canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks();
  if (context === null || track === undefined) throw new TypeError('this browser cannot draw');
  // Not by animation frames: these end when the page is hidden, and others look on.
  const timer = window.setInterval(() => {
    if (track.readyState === 'ended') clearInterval(timer);
    else draw(context, name);
  }, 1000 / FRAMES_PER_SECOND);
  draw(context, name);
  return track;
}

function draw(context: CanvasRenderingContext2D, name: string): void {
  const seconds = performance.now() / 1000;
  for (let bar = 0; bar < BARS; bar++) {
    context.fillStyle = `hsl(${hueOf(name) + 9 * bar} 60% ${72 - 8 * bar}%)`;
    context.fillRect((bar * WIDTH) / BARS, 0, WIDTH / BARS + 1, HEIGHT);
  }
  context.fillStyle = 'rgb(12 18 24 / 88%)';
  context.fillRect(WIDTH * 0.14, HEIGHT * 0.26, WIDTH * 0.72, HEIGHT * 0.48);
  context.fillStyle = '#ffffff';
  context.beginPath();
  context.arc(WIDTH * (0.5 + 0.3 * Math.sin(seconds * 1.5)), HEIGHT * 0.64, 14, 0, 2 * Math.PI);
  context.fill();
  context.textAlign = 'center';
  context.font = '600 40px system-ui, sans-serif';
  context.fillText(name, WIDTH / 2, HEIGHT * 0.42, WIDTH * 0.66);
  context.font = '24px ui-monospace, monospace';
  context.fillText(new Date().toLocaleTimeString(), WIDTH / 2, HEIGHT * 0.53);
}
