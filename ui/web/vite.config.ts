import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The API and the pages share one origin in production. In development the API is proxied so that
// cookies and server-sent events behave the same way.
const api = "http://127.0.0.1:8000";

export default defineConfig({
  base: "/",
  plugins: [react(), tailwindcss()],
  build: {
    outDir: "dist",
    assetsDir: "assets",
    // Nothing inlined as data: URLs, so that a strict content security policy holds.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    target: "es2022",
  },
  server: { proxy: { "/api": api, "/chat": api } },
});
