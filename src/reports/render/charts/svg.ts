import { visible } from '../../../outbound/safe-text.js';
import { markup, type Markup } from '../html/markup.js';
import type { Drawing, Shape } from './drawing.js';

/** A drawing as an inline SVG with a title and a description; its inks are the page's own colours. */
export function svgOf(title: string, drawing: Drawing): Markup {
  return markup`<svg class="chart" role="img" viewBox="0 0 ${drawing.width} ${drawing.height}">
    <title>${title}</title>
    <desc>${drawing.description}</desc>
    ${drawing.shapes.map(shapeOf)}
  </svg>`;
}

const round = (value: number): string => String(Math.round(value * 100) / 100);

function shapeOf(shape: Shape): Markup {
  switch (shape.kind) {
    case 'bar':
      return markup`<rect
        class="f-${shape.ink}"
        x="${round(shape.x)}"
        y="${round(shape.y)}"
        width="${round(shape.width)}"
        height="${round(shape.height)}"
      />`;
    case 'path':
      return markup`<polyline
        class="s-${shape.ink}"
        points="${shape.points.map(([x, y]) => `${round(x)},${round(y)}`).join(' ')}"
      />`;
    case 'dot':
      return markup`<circle
        class="f-${shape.ink}"
        cx="${round(shape.x)}"
        cy="${round(shape.y)}"
        r="${shape.radius}"
      />`;
    case 'label':
      return markup`<text
        class="f-${shape.ink}"
        x="${round(shape.x)}"
        y="${round(shape.y)}"
        text-anchor="${shape.anchor}"
      >${visible(shape.text, 60)}</text>`;
    default:
      return shape satisfies never;
  }
}
