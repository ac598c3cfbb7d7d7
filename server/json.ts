import type { Response } from 'express';

export const JSON_TYPE = 'application/json; charset=utf-8';

export const jsonBody = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);

export function sendJson(response: Response, status: number, body: Buffer): void {
  response.statusCode = status;
  response.setHeader('Content-Type', JSON_TYPE);
  response.setHeader('Content-Length', body.length);
  response.end(body);
}
