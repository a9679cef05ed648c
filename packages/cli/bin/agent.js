#!/usr/bin/env node
import '../dist/bin/agent.js';
